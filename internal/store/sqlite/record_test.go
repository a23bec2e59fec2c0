package sqlite_test

import (
	"testing"

	"purser/internal/store/storetest"
)

func TestRecordStore(t *testing.T) {
	storetest.Record(t, func(t testing.TB) storetest.Records { return open(t, t.TempDir()) })
}

func TestImportStore(t *testing.T) {
	storetest.Import(t, func(t testing.TB) storetest.Records { return open(t, t.TempDir()) })
}
