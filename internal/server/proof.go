package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/fold"
	"purser/proof"
)

// Exported says what an export holds.
type Exported struct {
	Size     purser.Pos
	Verifier string // the key that checks it
}

// Export writes the whole ledger to an empty or missing folder, for
// purser verify. Its checkpoint is signed here for the committed end, and
// written only after the entries have given the same root.
func (d *Deployment) Export(ctx context.Context, dir string, progress func(done, total purser.Pos)) (Exported, error) {
	head, err := d.db.Head(ctx)
	if err != nil {
		return Exported{}, fmt.Errorf("export: %w", err)
	}
	checkpoint, err := proof.Checkpoint{Origin: d.origin, Size: head.Size, Root: head.Root}.Sign(d.signer)
	if err != nil {
		return Exported{}, fmt.Errorf("sign the export's checkpoint: %w", err)
	}
	folder, err := proof.NewDir(dir)
	if err != nil {
		return Exported{}, err
	}
	err = proof.Export{
		Checkpoint: checkpoint, Entries: d.entries(ctx, head.Size), Snapshots: d.snapshots(ctx), Signer: d.signer, Progress: progress,
	}.Write(ctx, folder)
	if err != nil {
		return Exported{}, err
	}
	return Exported{Size: head.Size, Verifier: d.verifier}, nil
}

func (d *Deployment) entries(ctx context.Context, size purser.Pos) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for e, err := range d.db.Entries(ctx, 0, size) {
			if !yield(e.Bytes, err) {
				return
			}
		}
	}
}

func (d *Deployment) snapshots(ctx context.Context) iter.Seq2[proof.Snapshot, error] {
	return func(yield func(proof.Snapshot, error) bool) {
		for s, err := range d.db.Snapshots(ctx) {
			if !yield(proof.Snapshot{Size: s.Size, Bytes: s.Bytes}, err) {
				return
			}
		}
	}
}

// Verify checks an exported folder against a verifier key, and recomputes its
// snapshots by replaying the entries. It opens no deployment. Whatever does
// not hold wraps proof.ErrBadProof.
func Verify(ctx context.Context, folder fs.FS, key string, progress func(done, total purser.Pos)) (proof.Report, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return proof.Report{}, ErrVerifierKey
	}
	state := fold.New()
	return proof.VerifyFolder(ctx, folder, verifier, proof.Options{
		Each: func(h purser.Header, e purser.Entry) error {
			if err := state.Apply(h, e); err != nil {
				return fmt.Errorf("%w: %w", proof.ErrBadProof, err)
			}
			state.Commit()
			return nil
		},
		Snapshot: func(purser.Pos, []byte) (purser.Hash, error) { return state.Digest(), nil },
		Progress: progress,
	})
}

// ErrVerifierKey says that a key is not the text form of a verifier.
var ErrVerifierKey = errors.New("not a verifier key: want the line that init and export print")

// VerifyDir is Verify for a folder on disk.
func VerifyDir(ctx context.Context, dir, key string, progress func(done, total purser.Pos)) (proof.Report, error) {
	return Verify(ctx, os.DirFS(dir), key, progress)
}
