package sqlite_test

import (
	"testing"

	"purser/internal/store/storetest"
)

func TestWorkforceStore(t *testing.T) {
	storetest.Workforce(t, func(t testing.TB) storetest.People { return open(t, t.TempDir()) })
}
