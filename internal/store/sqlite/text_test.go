package sqlite_test

import (
	"testing"

	"purser/internal/store/storetest"
)

func TestTextStore(t *testing.T) {
	storetest.Texts(t, func(t testing.TB) storetest.Records { return open(t, t.TempDir()) })
}
