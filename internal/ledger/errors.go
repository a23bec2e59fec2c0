package ledger

import "errors"

// Conditions that callers branch on.
var (
	// ErrStopped says that the log takes no more proposals: it was closed, or
	// its storage failed. Nothing may be disclosed on its word any more.
	ErrStopped = errors.New("the ledger has stopped")
	// ErrCorrupt says that what is stored is not what was committed.
	ErrCorrupt = errors.New("the ledger is damaged")
	// ErrOverloaded says that too many proposals wait. Nothing was recorded.
	ErrOverloaded = errors.New("too many proposals are waiting")
)
