package sqlite_test

import (
	"testing"

	"purser/internal/store/storetest"
)

func TestTelephonyStore(t *testing.T) {
	storetest.Telephony(t, func(t testing.TB) storetest.TelephonyStore { return open(t, t.TempDir()) })
}
