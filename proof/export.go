package proof

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"purser"
)

// Snapshot is the encoded state after the entries [0, Size).
type Snapshot struct {
	Size  purser.Pos
	Bytes []byte
}

// Folder takes the files of an export. Paths use slashes and lead downwards.
type Folder interface {
	WriteFile(path string, content []byte) error
}

// Export is what goes into an exported folder.
type Export struct {
	// Checkpoint is the signed note, by Signer's key, that says how many of
	// the entries count.
	Checkpoint []byte
	// Entries are the canonical bytes of the entries from position 0 on, at
	// least as many as the checkpoint covers.
	Entries iter.Seq2[[]byte, error]
	// Snapshots may be nil. Those that no exported entry binds are left out.
	Snapshots iter.Seq2[Snapshot, error]
	// Signer signs the manifest.
	Signer note.Signer
	// Progress may be nil.
	Progress func(done, total purser.Pos)
}

// Write writes the folder; the manifest comes last, so a folder that was cut
// short has none. It fails, before that, when the entries do not give the
// checkpoint's root.
func (e Export) Write(ctx context.Context, to Folder) error {
	c, err := ReadCheckpoint(e.Checkpoint)
	if err != nil {
		return err
	}
	w := &exporting{to: to, bound: make(map[purser.Pos]purser.Hash)}
	if err := w.entries(ctx, e, c); err != nil {
		return fmt.Errorf("export entries: %w", err)
	}
	if e.Snapshots != nil {
		if err := w.snapshots(e.Snapshots); err != nil {
			return fmt.Errorf("export snapshots: %w", err)
		}
	}
	if err := w.file(CheckpointPath, e.Checkpoint); err != nil {
		return err
	}
	slices.SortFunc(w.files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	signed, err := Manifest{Origin: c.Origin, Files: w.files}.Sign(e.Signer)
	if err != nil {
		return fmt.Errorf("sign manifest: %w", err)
	}
	return to.WriteFile(ManifestPath, signed)
}

type exporting struct {
	to       Folder
	files    []File
	frontier Frontier
	bound    map[purser.Pos]purser.Hash // digests by size, from snapshot entries
}

func (w *exporting) file(path string, content []byte) error {
	w.files = append(w.files, File{Path: path, Length: int64(len(content)), Hash: sha256.Sum256(content)})
	return w.to.WriteFile(path, content)
}

func (w *exporting) entries(ctx context.Context, e Export, c Checkpoint) error {
	next, stop := iter.Pull2(e.Entries)
	defer stop()
	var bundle []byte
	for n, width := range bundles(c.Size) {
		if err := ctx.Err(); err != nil {
			return err
		}
		bundle = bundle[:0]
		for range width {
			entry, err, ok := next()
			if !ok {
				return fmt.Errorf("%w: %d entries, the checkpoint covers %d", ErrBadProof, w.frontier.Size(), c.Size)
			}
			if err != nil {
				return err
			}
			if bundle, err = AppendBundle(bundle, entry); err != nil {
				return err
			}
			if err := w.note(entry); err != nil {
				return err
			}
		}
		if err := w.file(BundlePath(n, width), bundle); err != nil {
			return err
		}
		if e.Progress != nil {
			e.Progress(w.frontier.Size(), c.Size)
		}
	}
	if w.frontier.Root() != c.Root {
		return fmt.Errorf("%w: the entries do not give the checkpoint's root", ErrBadProof)
	}
	return nil
}

// note adds an entry to the tree and remembers which snapshot it binds.
func (w *exporting) note(entry []byte) error {
	h, payload, err := purser.ReadHeader(entry)
	if err != nil {
		return err
	}
	w.frontier.Append(LeafHash(entry))
	if h.Kind != purser.KindSnapshot {
		return nil
	}
	bound, err := purser.ParsePayload(h.Kind, payload)
	if err != nil {
		return err
	}
	if s, ok := bound.(*purser.Snapshot); ok {
		w.bound[s.Size] = s.Digest
	}
	return nil
}

func (w *exporting) snapshots(all iter.Seq2[Snapshot, error]) error {
	for s, err := range all {
		if err != nil {
			return err
		}
		if w.bound[s.Size] != sha256.Sum256(s.Bytes) {
			continue
		}
		if err := w.file(SnapshotPath(s.Size), s.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// Dir is a folder on disk.
type Dir struct{ root string }

// NewDir makes the folder, or takes an empty one. It refuses one that holds
// anything.
func NewDir(name string) (*Dir, error) {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, fmt.Errorf("make export folder: %w", err)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open export folder: %w", err)
	}
	defer f.Close()
	if _, err := f.Readdirnames(1); err != io.EOF {
		return nil, fmt.Errorf("export folder %s: not empty: choose another or empty it", name)
	}
	return &Dir{root: name}, nil
}

// WriteFile writes a new file, readable by its owner alone.
func (d *Dir) WriteFile(name string, content []byte) error {
	file := filepath.Join(d.root, filepath.FromSlash(name))
	if dir := path.Dir(name); dir != "." {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fmt.Errorf("make folder %s: %w", dir, err)
		}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
