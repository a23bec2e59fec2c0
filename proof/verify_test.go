package proof_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/proof"
)

const origin = "example.com/ledger"

type keys struct {
	signer   note.Signer
	verifier note.Verifier
}

func newKeys(t testing.TB, name string) keys {
	t.Helper()
	secret, public, err := note.GenerateKey(nil, name)
	if err != nil {
		t.Fatalf("key: %v", err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatalf("signer: %v", err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatalf("verifier: %v", err)
	}
	return keys{signer, verifier}
}

// made is a ledger made for a test. Its state is a chain over the entries.
type made struct {
	entries   [][]byte
	frontier  proof.Frontier
	snapshots []proof.Snapshot
	chain     chain
}

type chain [32]byte

func (c *chain) take(h purser.Header, e purser.Entry) error {
	b, err := purser.AppendEntry(c[:], h.Pos, h.Stamp, e)
	*c = sha256.Sum256(b)
	return err
}

func (m *made) add(t testing.TB, stamp purser.Stamp, e purser.Entry) {
	t.Helper()
	h := purser.Header{Kind: e.Kind(), Pos: purser.Pos(len(m.entries)), Stamp: stamp}
	b, err := purser.AppendEntry(nil, h.Pos, h.Stamp, e)
	if err == nil {
		err = m.chain.take(h, e)
	}
	if err != nil {
		t.Fatalf("entry: %v", err)
	}
	m.entries = append(m.entries, b)
	m.frontier.Append(proof.LeafHash(b))
}

// newLedger makes a ledger of n entries, with two bound snapshots if n allows.
func newLedger(t testing.TB, n int) *made {
	t.Helper()
	m := &made{}
	r := rand.New(rand.NewPCG(1, 2))
	stamp := purser.Stamp(1_795_000_000_000_000)
	m.add(t, stamp, &purser.Start{Software: "test", FoldVersion: 1})
	for len(m.entries) < n {
		stamp += purser.Stamp(r.IntN(5))
		size := purser.Pos(len(m.entries))
		if int(size) == n/3 || int(size) == n/2 {
			s := proof.Snapshot{Size: size, Bytes: bytes.Clone(m.chain[:])}
			m.snapshots = append(m.snapshots, s)
			m.add(t, stamp, &purser.Snapshot{Size: size, FoldVersion: 1, Digest: sha256.Sum256(s.Bytes), Root: m.frontier.Root()})
			continue
		}
		who := purser.Actor{Session: purser.SessionID{byte(r.Uint32())}}
		switch r.IntN(3) {
		case 0:
			m.add(t, stamp, &purser.Claim{Who: who, Reason: purser.Reason(r.IntN(4))})
		case 1:
			m.add(t, stamp, &purser.ContactEvent{Seq: r.Uint64(), Event: purser.EventHeld, Live: make([]purser.LiveContact, r.IntN(3))})
		default:
			m.add(t, stamp, &purser.Disclosure{Who: who, Customer: purser.Ordinal(r.Uint32()), Asked: 7, Shown: 3})
		}
	}
	return m
}

// memory is a folder in memory.
type memory fstest.MapFS

func (m memory) WriteFile(path string, content []byte) error {
	m[path] = &fstest.MapFile{Data: bytes.Clone(content), Mode: 0o600}
	return nil
}

func (m *made) export(t testing.TB, k keys) proof.Export {
	t.Helper()
	signed, err := proof.Checkpoint{Origin: origin, Size: m.frontier.Size(), Root: m.frontier.Root()}.Sign(k.signer)
	if err != nil {
		t.Fatalf("checkpoint: %v", err)
	}
	return proof.Export{Checkpoint: signed, Entries: yielding(m.entries), Snapshots: yielding(m.snapshots), Signer: k.signer}
}

func yielding[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func (m *made) folder(t testing.TB, k keys) memory {
	t.Helper()
	to := memory{}
	if err := m.export(t, k).Write(t.Context(), to); err != nil {
		t.Fatalf("export: %v", err)
	}
	return to
}

// verify verifies with a replay of the chain.
func verify(ctx context.Context, folder fs.FS, k keys) (proof.Report, error) {
	var c chain
	return proof.VerifyFolder(ctx, folder, k.verifier, proof.Options{
		Each: c.take,
		Snapshot: func(purser.Pos, []byte) (purser.Hash, error) {
			return sha256.Sum256(c[:]), nil
		},
	})
}

func TestVerifyFolder(t *testing.T) {
	k := newKeys(t, "test")
	for _, n := range []int{1, 2, 255, 256, 257, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := newLedger(t, n)
			report, err := verify(t.Context(), fstest.MapFS(m.folder(t, k)), k)
			if err != nil {
				t.Fatalf("verify: %v", err)
			}
			if report.Size != purser.Pos(n) || report.Root != m.frontier.Root() || report.Origin != origin ||
				len(report.Snapshots) != len(m.snapshots) || !report.Replayed {
				t.Fatalf("report: got %+v, want %d entries and %d snapshots", report, n, len(m.snapshots))
			}
		})
	}
}

func TestVerifyFolderOnDisk(t *testing.T) {
	k, m := newKeys(t, "test"), newLedger(t, 600)
	write := func(t *testing.T) string {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "export")
		to, err := proof.NewDir(dir)
		if err == nil {
			err = m.export(t, k).Write(t.Context(), to)
		}
		if err != nil {
			t.Fatalf("export: %v", err)
		}
		return dir
	}
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"untouched", func(string) error { return nil }, ""},
		{"extra file", func(d string) error { return os.WriteFile(d+"/notes", nil, 0o600) }, "notes is not in the manifest"},
		{"extra hidden file", func(d string) error { return os.WriteFile(d+"/tile/.x", nil, 0o600) }, "tile/.x is not"},
		{"empty folder", func(d string) error { return os.Mkdir(d+"/more", 0o700) }, "more is not in the manifest"},
		{"link for a file", func(d string) error {
			return errors.Join(os.Rename(d+"/checkpoint", filepath.Dir(d)+"/c"), os.Symlink(filepath.Dir(d)+"/c", d+"/checkpoint"))
		}, "checkpoint is not in the manifest"},
		{"link to itself", func(d string) error { return os.Symlink(".", d+"/round") }, "round is not in the manifest"},
		{"pipe for the manifest", func(d string) error {
			return errors.Join(os.Remove(d+"/manifest"), syscall.Mkfifo(d+"/manifest", 0o600))
		}, "manifest is no file"},
		{"pipe for a bundle", func(d string) error {
			return errors.Join(os.Remove(d+"/tile/entries/000"), syscall.Mkfifo(d+"/tile/entries/000", 0o600))
		}, "tile/entries/000 is not in the manifest"},
		{"folder for a file", func(d string) error {
			return errors.Join(os.Remove(d+"/checkpoint"), os.Mkdir(d+"/checkpoint", 0o700))
		}, "checkpoint is not in the manifest"},
		{"no manifest", func(d string) error { return os.Remove(d + "/manifest") }, "proof does not hold"},
		{"endless file", func(d string) error { return os.Truncate(d+"/checkpoint", 1<<40) }, "checkpoint is no file of at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t)
			if err := c.spoil(dir); err != nil {
				t.Fatalf("spoil: %v", err)
			}
			_, err := verify(t.Context(), os.DirFS(dir), k)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, proof.ErrBadProof) || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("verify: got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := proof.NewDir(write(t)); err == nil {
		t.Fatal("export into a folder that holds something: got no error")
	}
}

func TestAFolderThatAnotherKeySigned(t *testing.T) {
	k, m := newKeys(t, "test"), newLedger(t, 10)
	for _, other := range []keys{newKeys(t, "test"), newKeys(t, "other")} {
		if _, err := verify(t.Context(), fstest.MapFS(m.folder(t, other)), k); !errors.Is(err, proof.ErrBadProof) {
			t.Fatalf("verify: got %v, want ErrBadProof", err)
		}
	}
}

func TestExportRefusesOtherEntries(t *testing.T) {
	k, m := newKeys(t, "test"), newLedger(t, 300)
	short, swapped := m.export(t, k), m.export(t, k)
	short.Entries = yielding(m.entries[:299])
	two := slices.Clone(m.entries)
	two[5], two[6] = two[6], two[5]
	swapped.Entries = yielding(two)
	for name, e := range map[string]proof.Export{"short": short, "swapped": swapped} {
		to := memory{}
		if err := e.Write(t.Context(), to); !errors.Is(err, proof.ErrBadProof) {
			t.Errorf("%s: got %v, want ErrBadProof", name, err)
		}
		if to[proof.ManifestPath] != nil {
			t.Errorf("%s: a manifest was signed", name)
		}
	}
}

func TestAStoppedVerification(t *testing.T) {
	k, m := newKeys(t, "test"), newLedger(t, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	stop := errors.New("enough")
	_, err := proof.VerifyFolder(ctx, fstest.MapFS(m.folder(t, k)), k.verifier, proof.Options{
		Each: func(h purser.Header, _ purser.Entry) error {
			if h.Pos == 300 {
				cancel()
			}
			return nil
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: got %v", err)
	}
	_, err = proof.VerifyFolder(t.Context(), fstest.MapFS(m.folder(t, k)), k.verifier, proof.Options{
		Each: func(purser.Header, purser.Entry) error { return stop },
	})
	if !errors.Is(err, stop) || errors.Is(err, proof.ErrBadProof) {
		t.Fatalf("hook: got %v, want its own error", err)
	}
}

// limit is how long one verification of 20,000 entries may take here, with
// other work on the machine.
const limit = 10 * time.Second

// Four fifths of the changes are made by somebody who cannot sign, the others
// by somebody who signs the manifest anew, so that what lies behind it is
// tried too.
//
// Seen to fail: with openNote comparing no spelling (second signature lines
// passed), with nothingElse letting files pass (doubled bundles passed), and
// with snapshots not compared with the entries that bind them and the replay
// (snapshots cut short and signed anew passed).
func TestLaw10AnyChangedBitShows(t *testing.T) {
	const changes = 5000
	k := newKeys(t, "test")
	folder := newLedger(t, 20_000).folder(t, k)
	if _, err := verify(t.Context(), fstest.MapFS(folder), k); err != nil {
		t.Fatalf("untouched: %v", err)
	}
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for seed := range seeds {
				tryChange(t, folder, k, seed)
			}
		})
	}
	for seed := range uint64(changes) {
		seeds <- seed
	}
	close(seeds)
	workers.Wait()
}

func tryChange(t *testing.T, folder memory, k keys, seed uint64) {
	r := rand.New(rand.NewPCG(10, seed))
	changed := maps.Clone(folder)
	what := change(r, changed)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var err error
	if r.IntN(5) == 0 && signable(what) {
		what += ", signed anew"
		resign(t, changed, k)
		_, err = verify(ctx, fstest.MapFS(changed), k)
	} else {
		_, err = proof.VerifyFolder(ctx, fstest.MapFS(changed), k.verifier, proof.Options{})
	}
	if !errors.Is(err, proof.ErrBadProof) {
		t.Errorf("seed %d: %s: got %v, want ErrBadProof", seed, what, err)
	}
}

// signable leaves out changes of the manifest itself, and a snapshot that is
// not there: a ledger may be exported without.
func signable(what string) bool {
	return !strings.Contains(what, proof.ManifestPath) &&
		(!strings.HasPrefix(what, "snapshot/") || !strings.HasSuffix(what, " removed"))
}

// resign lists what is there, as the key's holder would.
func resign(t *testing.T, folder memory, k keys) {
	t.Helper()
	m := proof.Manifest{Origin: origin}
	for _, path := range slices.Sorted(maps.Keys(folder)) {
		if path != proof.ManifestPath {
			data := folder[path].Data
			m.Files = append(m.Files, proof.File{Path: path, Length: int64(len(data)), Hash: sha256.Sum256(data)})
		}
	}
	signed, err := m.Sign(k.signer)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	_ = folder.WriteFile(proof.ManifestPath, signed)
}

// change makes one change and says which.
func change(r *rand.Rand, folder memory) string {
	paths := slices.Sorted(maps.Keys(folder))
	path := paths[r.IntN(len(paths))]
	if r.IntN(3) == 0 { // the small files, more often than by their number
		path = []string{proof.ManifestPath, proof.CheckpointPath, proof.SnapshotPath(10_000)}[r.IntN(3)]
	}
	data := bytes.Clone(folder[path].Data)
	put := func(b []byte) { folder[path] = &fstest.MapFile{Data: b, Mode: 0o600} }
	switch r.IntN(10) {
	case 0, 1, 2:
		bit := r.IntN(8 * len(data))
		data[bit/8] ^= 1 << (bit % 8)
		put(data)
		return fmt.Sprintf("bit %d of %s", bit, path)
	case 3:
		n := r.IntN(len(data))
		put(data[:n])
		return fmt.Sprintf("%s cut to %d bytes", path, n)
	case 4:
		put(append(data, byte(r.Uint32())))
		return "a byte more in " + path
	case 5:
		delete(folder, path)
		return path + " removed"
	case 6:
		twin := fmt.Sprintf("tile/entries/%03d", 200+r.IntN(700))
		folder[twin] = folder[path]
		return path + " twice"
	case 7:
		return swapFiles(r, folder)
	case 8:
		for _, p := range []string{proof.ManifestPath, proof.CheckpointPath}[r.IntN(2):][:1] {
			note := folder[p].Data
			line := note[bytes.LastIndex(note, []byte("\n\n"))+2:]
			line = slices.Concat(line[:len(line)-10-r.IntN(30)], []byte("AAAA\n"))
			folder[p] = &fstest.MapFile{Data: slices.Concat(note, line), Mode: 0o600}
			return "a signature line more in " + p
		}
	}
	return changeEntries(r, folder)
}

func swapFiles(r *rand.Rand, folder memory) string {
	a, b := proof.BundlePath(uint64(r.IntN(39)), 256), proof.BundlePath(uint64(39+r.IntN(39)), 256)
	folder[a], folder[b] = folder[b], folder[a]
	return a + " and " + b + " swapped"
}

// changeEntries drops, doubles, swaps or restamps whole entries of a bundle,
// which stays well-formed.
func changeEntries(r *rand.Rand, folder memory) string {
	path := proof.BundlePath(uint64(r.IntN(78)), 256)
	entries, err := proof.ParseBundle(nil, bytes.Clone(folder[path].Data), 256)
	if err != nil {
		return err.Error()
	}
	i := r.IntN(255)
	what := "dropped"
	switch r.IntN(4) {
	case 0:
		entries = slices.Delete(entries, i, i+1)
	case 1:
		what = "doubled"
		entries = slices.Insert(entries, i, entries[i])
	case 2:
		what = "swapped with the next"
		entries[i], entries[i+1] = entries[i+1], entries[i]
	default:
		what = "moved by a microsecond"
		stamp := binary.BigEndian.Uint64(entries[i][12:])
		binary.BigEndian.PutUint64(entries[i][12:], stamp+1)
	}
	var bundle []byte
	for _, e := range entries {
		bundle, _ = proof.AppendBundle(bundle, e)
	}
	folder[path] = &fstest.MapFile{Data: bundle, Mode: 0o600}
	return fmt.Sprintf("entry %d of %s %s", i, path, what)
}
