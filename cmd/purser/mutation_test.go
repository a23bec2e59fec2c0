package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/fold"
	"purser/internal/synth"
	"purser/proof"
)

// verifyTime is how long one purser verify may take, with other work on the
// machine.
const verifyTime = time.Minute

// Fifty changes of an exported ledger of 20,000 entries, one after another,
// each found by the program that users have.
//
// Seen to fail: with openNote comparing no spelling, the changes of free bits
// and the second signature lines passed.
func TestSuiteChangedExportsAreFound(t *testing.T) {
	program := filepath.Join(t.TempDir(), "purser")
	build := exec.Command("go", "build", "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	changedExports(t, program, 20_000, 50)
}

// The same with few entries, one change of each kind.
func TestChangedExportsAreFound(t *testing.T) { changedExports(t, "purser", 600, len(changes())) }

func changedExports(t *testing.T, program string, entries purser.Pos, times int) {
	e := newExported(t, entries)
	if code, said := verifyBy(t, program, e.key, e.dir); code != exitDone {
		t.Fatalf("untouched: got exit code %d, %s", code, said)
	}
	kinds := changes()
	for i := range times {
		kind := kinds[i%len(kinds)]
		t.Run(fmt.Sprintf("%d %s", i, kind.name), func(t *testing.T) {
			c := change{exported: e, t: t, dir: filepath.Join(t.TempDir(), "ledger"), draw: rand.New(rand.NewPCG(5, uint64(i)))}
			must(t, os.CopyFS(c.dir, os.DirFS(e.dir)))
			places := kind.make(&c)
			code, said := verifyBy(t, program, e.key, c.dir)
			if code != exitDifference || !strings.HasPrefix(said, "purser: verification failed: ") {
				t.Fatalf("seed %d, %v: got exit code %d, %q, want %d", i, places, code, said, exitDifference)
			}
			if !slices.ContainsFunc(places, func(p string) bool { return strings.Contains(said, p) }) {
				t.Fatalf("seed %d: got %q, want it to name one of %q", i, said, places)
			}
		})
	}
}

// verifyBy runs the program's verify and returns exit code and message.
func verifyBy(t *testing.T, program, key, dir string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), verifyTime)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "verify", "--key", key, dir)
	cmd.Stderr = &said
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("verify did not end in %v", verifyTime)
	}
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exported is a folder as purser export ledger writes it, of a made-up ledger,
// with the key that signed it.
type exported struct {
	dir    string
	key    string
	signer note.Signer
	origin string
}

// snapshotsIn is into how many parts the snapshots divide the ledger.
const snapshotsIn = 3

func newExported(t *testing.T, entries purser.Pos) *exported {
	t.Helper()
	e := &exported{dir: filepath.Join(t.TempDir(), "ledger"), origin: "example.com/ledger"}
	secret, public, err := note.GenerateKey(nil, e.origin)
	must(t, err)
	e.key = public
	e.signer, err = note.NewSigner(secret)
	must(t, err)

	var all [][]byte
	var snapshots []proof.Snapshot
	var frontier proof.Frontier
	state := fold.New()
	draw := rand.New(rand.NewPCG(5, 5))
	from := synth.NewEntries(purser.StampOf(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)), draw.IntN)
	var at purser.Stamp
	add := func(entry purser.Entry) {
		h := purser.Header{Kind: entry.Kind(), Pos: state.Size(), Stamp: at}
		b, err := purser.AppendEntry(nil, h.Pos, h.Stamp, entry)
		must(t, err)
		must(t, state.Apply(h, entry))
		state.Commit()
		all = append(all, b)
		frontier.Append(proof.LeafHash(b))
	}
	for state.Size() < entries {
		if size := state.Size(); size > 0 && size%(entries/snapshotsIn) == 0 && len(snapshots) < snapshotsIn-1 {
			c := purser.NewEncoder(nil)
			state.Code(c)
			s := proof.Snapshot{Size: size, Bytes: bytes.Clone(c.Bytes())}
			snapshots = append(snapshots, s)
			add(&purser.Snapshot{Size: size, FoldVersion: fold.Version, Digest: sha256.Sum256(s.Bytes), Root: frontier.Root()})
			continue
		}
		h, entry := from.Next(state)
		at = h.Stamp
		add(entry)
	}
	signed, err := proof.Checkpoint{Origin: e.origin, Size: frontier.Size(), Root: frontier.Root()}.Sign(e.signer)
	must(t, err)
	folder, err := proof.NewDir(e.dir)
	must(t, err)
	must(t, proof.Export{Checkpoint: signed, Entries: each(all), Snapshots: each(snapshots), Signer: e.signer}.Write(t.Context(), folder))
	return e
}

func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}
