package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"purser"
)

// maxSnapshot is the longest snapshot in bytes that is read.
const maxSnapshot = 1 << 32

// Options are what a verification may do besides. All may be zero.
type Options struct {
	// Each is called for every entry, in order, for callers who fold.
	Each func(purser.Header, purser.Entry) error
	// Snapshot is called when every entry before size was handed to Each, with
	// the exported snapshot of that size, and returns the digest of the state
	// that the caller has come to.
	Snapshot func(size purser.Pos, bytes []byte) (purser.Hash, error)
	// Progress is told how far the verification is.
	Progress func(done, total purser.Pos)
}

// Report is what a verification has shown.
type Report struct {
	Origin    string
	Size      purser.Pos
	Root      purser.Hash
	Files     int
	First     purser.Stamp // of the first entry
	Last      purser.Stamp // of the last entry
	Snapshots []purser.Pos // sizes, ascending, of the snapshots checked
	// Replayed is set when the snapshots were also compared with the state
	// that the caller's replay came to.
	Replayed bool
}

// VerifyFolder checks an exported folder against the key v alone: signatures,
// that the files are exactly those of the manifest, that everything parsed has
// its one encoding, positions, stamps, the root, and snapshots against the
// entries that bind them. Every failure wraps ErrBadProof, except errors of
// reading, of ctx and of the hooks. It reads no more than the manifest says.
func VerifyFolder(ctx context.Context, folder fs.FS, v note.Verifier, o Options) (Report, error) {
	w := &verifying{ctx: ctx, folder: folder, options: o, bound: make(map[purser.Pos]purser.Hash)}
	if err := w.manifest(v); err != nil {
		return Report{}, err
	}
	if err := w.nothingElse(); err != nil {
		return Report{}, err
	}
	if err := w.checkpoint(v); err != nil {
		return Report{}, err
	}
	if err := w.namesFit(); err != nil {
		return Report{}, err
	}
	if err := w.entries(); err != nil {
		return Report{}, err
	}
	if err := w.snapshotsBound(); err != nil {
		return Report{}, err
	}
	w.report.Files = len(w.files) + 1
	w.report.Replayed = o.Snapshot != nil && o.Each != nil
	return w.report, nil
}

type verifying struct {
	ctx      context.Context
	folder   fs.FS
	options  Options
	listed   Manifest
	files    map[string]File
	signed   Checkpoint
	frontier Frontier
	taken    map[purser.Pos]purser.Hash // digests of the exported snapshots
	roots    map[purser.Pos]purser.Hash // of the tree at their sizes
	bound    map[purser.Pos]purser.Hash // digests by snapshot entries
	report   Report

	content, again []byte // reused
	split          [][]byte
}

// read reads a regular file of at most most bytes.
func (w *verifying) read(name string, most int64) ([]byte, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	info, err := fs.Stat(w.folder, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadProof, err)
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%w: %s is no file of at most %d bytes", ErrBadProof, name, most)
	}
	f, err := w.folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := bytes.NewBuffer(w.content[:0])
	b.Grow(int(info.Size()) + bytes.MinRead)
	// One byte more than allowed shows a file that grew meanwhile.
	n, err := b.ReadFrom(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if n > most {
		return nil, fmt.Errorf("%w: %s has over %d bytes", ErrBadProof, name, most)
	}
	w.content = b.Bytes()
	return w.content, nil
}

// listedFile reads a file of the manifest and checks its length and hash. The
// result is valid until the next read.
func (w *verifying) listedFile(name string, most int64) ([]byte, error) {
	f, ok := w.files[name]
	if !ok {
		return nil, fmt.Errorf("%w: the manifest does not list %s", ErrBadProof, name)
	}
	if f.Length > most {
		return nil, fmt.Errorf("%w: %s has over %d bytes", ErrBadProof, name, most)
	}
	b, err := w.read(name, f.Length)
	if err != nil {
		return nil, err
	}
	if int64(len(b)) != f.Length || sha256.Sum256(b) != f.Hash {
		return nil, fmt.Errorf("%w: %s is not the file that was signed", ErrBadProof, name)
	}
	return b, nil
}

func (w *verifying) manifest(v note.Verifier) error {
	b, err := w.read(ManifestPath, MaxManifest)
	if err != nil {
		return err
	}
	if w.listed, err = OpenManifest(b, v); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	w.files = make(map[string]File, len(w.listed.Files))
	for _, f := range w.listed.Files {
		w.files[f.Path] = f
	}
	return nil
}

// nothingElse walks the folder and stops at the first thing that the manifest
// does not list: a file, a folder that holds none, a link, a device.
func (w *verifying) nothingElse() error {
	dirs := map[string]bool{".": true}
	for name := range w.files {
		for dir := path.Dir(name); !dirs[dir]; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	return fs.WalkDir(w.folder, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		_, listed := w.files[name]
		switch {
		case e.IsDir() && dirs[name]:
			return w.ctx.Err()
		case e.Type().IsRegular() && (listed || name == ManifestPath):
			return nil
		}
		return fmt.Errorf("%w: %s is not in the manifest", ErrBadProof, name)
	})
}

func (w *verifying) checkpoint(v note.Verifier) error {
	b, err := w.listedFile(CheckpointPath, MaxNote)
	if err != nil {
		return err
	}
	if w.signed, err = OpenCheckpoint(b, v); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if w.signed.Origin != w.listed.Origin {
		return fmt.Errorf("%w: checkpoint and manifest have different origins", ErrBadProof)
	}
	w.report.Origin = w.signed.Origin
	return nil
}

// namesFit checks that the files are those of a ledger of the signed size, and
// snapshots.
func (w *verifying) namesFit() error {
	w.taken, w.roots = make(map[purser.Pos]purser.Hash), make(map[purser.Pos]purser.Hash)
	named := 1 // the checkpoint
	for _, f := range w.listed.Files {
		if size, ok := snapshotSize(f.Path); ok {
			if size == 0 || size > w.signed.Size || f.Length > maxSnapshot {
				return fmt.Errorf("%w: a snapshot of size %d of a ledger of size %d", ErrBadProof, size, w.signed.Size)
			}
			w.taken[size] = f.Hash
			w.report.Snapshots = append(w.report.Snapshots, size)
			named++
		}
	}
	slices.Sort(w.report.Snapshots)
	for n, width := range bundles(w.signed.Size) {
		if _, ok := w.files[BundlePath(n, width)]; !ok {
			return fmt.Errorf("%w: bundle %d of a ledger of size %d is missing", ErrBadProof, n, w.signed.Size)
		}
		named++
	}
	if named != len(w.files) {
		return fmt.Errorf("%w: %d files that no ledger of size %d has", ErrBadProof, len(w.files)-named, w.signed.Size)
	}
	return nil
}

func (w *verifying) entries() error {
	for n, width := range bundles(w.signed.Size) {
		name := BundlePath(n, width)
		b, err := w.listedFile(name, maxBundle)
		if err != nil {
			return err
		}
		if w.split, err = ParseBundle(w.split[:0], b, width); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		// The hooks may read a snapshot, which reuses content.
		w.content = nil
		for _, entry := range w.split {
			if err := w.entry(entry); err != nil {
				return err
			}
		}
		if w.content == nil {
			w.content = b
		}
		if w.options.Progress != nil {
			w.options.Progress(w.frontier.Size(), w.signed.Size)
		}
	}
	w.report.Size, w.report.Root = w.frontier.Size(), w.frontier.Root()
	if w.report.Root != w.signed.Root {
		return fmt.Errorf("%w: the entries do not give the signed root", ErrBadProof)
	}
	return nil
}

// entry checks one entry and hands it on.
func (w *verifying) entry(b []byte) error {
	pos := w.frontier.Size()
	h, e, err := purser.ParseEntry(b)
	if err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrBadProof, pos, err)
	}
	w.again, err = purser.AppendEntry(w.again[:0], h.Pos, h.Stamp, e)
	switch {
	case err != nil || !bytes.Equal(w.again, b):
		return fmt.Errorf("%w: entry %d has another encoding", ErrBadProof, pos)
	case h.Pos != pos:
		return fmt.Errorf("%w: entry %d stands at %d", ErrBadProof, h.Pos, pos)
	case pos > 0 && h.Stamp < w.report.Last:
		return fmt.Errorf("%w: the stamp of entry %d goes back", ErrBadProof, pos)
	}
	if pos == 0 {
		w.report.First = h.Stamp
	}
	w.report.Last = h.Stamp
	w.frontier.Append(LeafHash(b))
	if s, ok := e.(*purser.Snapshot); ok {
		if s.Size == 0 || s.Size > pos {
			return fmt.Errorf("%w: entry %d binds a snapshot of size %d", ErrBadProof, pos, s.Size)
		}
		if root, taken := w.roots[s.Size]; taken && root != s.Root {
			return fmt.Errorf("%w: entry %d binds a snapshot to another root", ErrBadProof, pos)
		}
		w.bound[s.Size] = s.Digest
	}
	if w.options.Each != nil {
		if err := w.options.Each(h, e); err != nil {
			return fmt.Errorf("entry %d: %w", pos, err)
		}
	}
	return w.snapshot()
}

// snapshot checks the exported snapshot of the entries so far, if there is one.
func (w *verifying) snapshot() error {
	size := w.frontier.Size()
	digest, ok := w.taken[size]
	if !ok {
		return nil
	}
	w.roots[size] = w.frontier.Root()
	b, err := w.listedFile(SnapshotPath(size), maxSnapshot)
	if err != nil || w.options.Snapshot == nil {
		return err
	}
	replayed, err := w.options.Snapshot(size, b)
	if err != nil {
		return fmt.Errorf("snapshot %d: %w", size, err)
	}
	if replayed != digest {
		return fmt.Errorf("%w: snapshot %d is not the state that the entries give", ErrBadProof, size)
	}
	return nil
}

func (w *verifying) snapshotsBound() error {
	for size, digest := range w.taken {
		if w.bound[size] != digest {
			return fmt.Errorf("%w: no entry binds snapshot %d", ErrBadProof, size)
		}
	}
	return nil
}
