package sqlite

import (
	"sync"

	"purser"
	"purser/internal/seal"
)

// mostRecent is how many records are remembered at most. A record is some
// hundred bytes.
const mostRecent = 4096

// recent remembers the sealed records that were read last, for the second and
// later disclosure in a contact. It can be right because the directory's lock
// makes this process the only writer: whatever transaction wrote records
// empties it before anybody learns that it was committed.
type recent struct {
	mu       sync.Mutex // guards what follows
	emptied  uint64     // how often
	now, old map[purser.Ordinal]seal.Record
}

// get returns what is remembered. On a miss the caller reads, and hands mark
// back to put.
func (r *recent) get(o purser.Ordinal) (found seal.Record, ok bool, mark uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok = r.now[o]; ok {
		return found, true, 0
	}
	if found, ok = r.old[o]; ok {
		r.keep(found)
	}
	return found, ok, r.emptied
}

// put remembers what was read after get gave mark, unless records were written
// since: then it may have been read before them.
func (r *recent) put(found seal.Record, mark uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if mark == r.emptied {
		r.keep(found)
	}
}

// keep makes found one of the newer half; a full half becomes the older one,
// and the older one is forgotten.
func (r *recent) keep(found seal.Record) {
	if r.now == nil || len(r.now) >= mostRecent/2 {
		r.now, r.old = make(map[purser.Ordinal]seal.Record), r.now
	}
	r.now[found.Ordinal] = found
}

func (r *recent) empty() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emptied++
	r.now, r.old = nil, nil
}
