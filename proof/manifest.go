package proof

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"purser"
)

// Names of the files of an exported folder.
const (
	ManifestPath   = "manifest"
	CheckpointPath = "checkpoint"
	snapshotDir    = "snapshot/"
)

const (
	manifestTitle = "purser export v1"
	// MaxManifest is the longest manifest in bytes that is read: enough for
	// 200 million entries.
	MaxManifest = 1 << 26
)

// File is one line of a manifest.
type File struct {
	Path   string
	Length int64
	Hash   purser.Hash // SHA-256 of the content
}

// Manifest lists every other file of an exported folder, by path, ascending.
type Manifest struct {
	Origin string
	Files  []File
}

// Text returns the note text.
func (m Manifest) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%d\n", manifestTitle, m.Origin, len(m.Files))
	for _, f := range m.Files {
		fmt.Fprintf(&b, "%s %d %s\n", f.Path, f.Length, hex.EncodeToString(f.Hash[:]))
	}
	return b.String()
}

// Sign returns the manifest as a signed note.
func (m Manifest) Sign(s note.Signer) ([]byte, error) {
	if _, err := parseManifest(m.Text()); err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: m.Text()}, s)
}

// OpenManifest reads a manifest that v signed and nobody else. Every other
// spelling of the same manifest is refused.
func OpenManifest(msg []byte, v note.Verifier) (Manifest, error) {
	text, err := openNote(msg, v, MaxManifest)
	if err != nil {
		return Manifest{}, err
	}
	return parseManifest(text)
}

func parseManifest(text string) (Manifest, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != manifestTitle || lines[1] == "" || lines[len(lines)-1] != "" {
		return Manifest{}, fmt.Errorf("%w: not a manifest", ErrBadProof)
	}
	m := Manifest{Origin: lines[1]}
	for i, line := range lines[3 : len(lines)-1] {
		f, err := parseFile(line)
		if err != nil {
			return Manifest{}, fmt.Errorf("%w in line %d of the manifest", err, i+4)
		}
		m.Files = append(m.Files, f)
	}
	ascending := slices.IsSortedFunc(m.Files, func(a, b File) int {
		if a.Path < b.Path {
			return -1
		}
		return 1 // equal paths are not ascending
	})
	if !ascending || m.Text() != text {
		return Manifest{}, fmt.Errorf("%w: manifest in another spelling", ErrBadProof)
	}
	return m, nil
}

func parseFile(line string) (File, error) {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !plainPath(parts[0]) {
		return File{}, fmt.Errorf("%w: no file", ErrBadProof)
	}
	length, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || length < 0 {
		return File{}, fmt.Errorf("%w: no length", ErrBadProof)
	}
	f := File{Path: parts[0], Length: length}
	hash, err := hex.DecodeString(parts[2])
	if err != nil || len(hash) != len(f.Hash) {
		return File{}, fmt.Errorf("%w: no hash", ErrBadProof)
	}
	copy(f.Hash[:], hash)
	return f, nil
}

// plainPath reports whether a path is of the kind an export writes: it cannot
// lead out of the folder.
func plainPath(p string) bool {
	if p == "" || p == ManifestPath || len(p) > 200 {
		return false
	}
	for _, part := range strings.Split(p, "/") {
		if part == "" || part[0] == '.' {
			return false
		}
	}
	return strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789./") == ""
}

// SnapshotPath returns the file of the snapshot of the first size entries.
func SnapshotPath(size purser.Pos) string {
	return snapshotDir + strconv.FormatUint(uint64(size), 10)
}

// snapshotSize reads a path that SnapshotPath wrote.
func snapshotSize(path string) (purser.Pos, bool) {
	digits, ok := strings.CutPrefix(path, snapshotDir)
	size, err := strconv.ParseUint(digits, 10, 63)
	return purser.Pos(size), ok && err == nil && SnapshotPath(purser.Pos(size)) == path
}
