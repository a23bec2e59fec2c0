package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"purser/proof"
)

// change is one change of a copy of an exported folder.
type change struct {
	*exported
	t    *testing.T
	dir  string // of the copy
	draw *rand.Rand
}

// changeKind makes a change and returns the places of which a message has to
// name one.
type changeKind struct {
	name string
	make func(*change) []string
}

func changes() []changeKind {
	return []changeKind{
		{"bit of an entry", func(c *change) []string { return c.flip(c.bundle()) }},
		{"bit of a note", func(c *change) []string { return c.flip(c.note()) }},
		{"bit of a snapshot", func(c *change) []string { return c.flip(c.any("snapshot/")) }},
		{"file cut short", (*change).cut},
		{"file removed", (*change).remove},
		{"file twice", (*change).double},
		{"files swapped", (*change).swap},
		{"hidden file", func(c *change) []string { return c.extra("tile/.entries") }},
		{"file more", func(c *change) []string { return c.extra("readme.txt") }},
		{"manifest edited", (*change).editManifest},
		{"manifest without a file", (*change).shorten},
		{"signature in other base64", func(c *change) []string { return c.respell(proof.ManifestPath) }},
		{"checkpoint's signature in other base64, signed anew", func(c *change) []string {
			return c.resign(c.respell(proof.CheckpointPath))
		}},
		{"signature of somebody else more", (*change).cosign},
		{"bit of an entry, signed anew", func(c *change) []string {
			return append(c.resign(c.flip(c.bundle())), "entry ", "the entries", "entries")
		}},
		{"entries dropped, signed anew", (*change).drop},
	}
}

// paths lists the files of the copy that begin with prefix, in order.
func (c *change) paths(prefix string) (all []string) {
	must(c.t, fs.WalkDir(os.DirFS(c.dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(path, prefix) {
			all = append(all, path)
		}
		return err
	}))
	return all
}

func (c *change) any(prefix string) string {
	all := c.paths(prefix)
	return all[c.draw.IntN(len(all))]
}

func (c *change) bundle() string { return c.any("tile/entries/") }

func (c *change) note() string {
	return []string{proof.ManifestPath, proof.CheckpointPath}[c.draw.IntN(2)]
}

func (c *change) read(path string) []byte {
	b, err := os.ReadFile(filepath.Join(c.dir, path))
	must(c.t, err)
	return b
}

func (c *change) write(path string, content []byte) {
	must(c.t, os.WriteFile(filepath.Join(c.dir, path), content, 0o600))
}

func (c *change) flip(path string) []string {
	b := c.read(path)
	bit := c.draw.IntN(8 * len(b))
	b[bit/8] ^= 1 << (bit % 8)
	c.write(path, b)
	return []string{path}
}

func (c *change) cut() []string {
	path := c.any("")
	b := c.read(path)
	c.write(path, b[:c.draw.IntN(len(b))])
	return []string{path}
}

func (c *change) remove() []string {
	path := c.any("")
	must(c.t, os.Remove(filepath.Join(c.dir, path)))
	return []string{path}
}

func (c *change) double() []string {
	twin := fmt.Sprintf("tile/entries/%03d", 200+c.draw.IntN(700))
	c.write(twin, c.read(c.bundle()))
	return []string{twin}
}

func (c *change) swap() []string {
	all := c.paths("tile/entries/")
	i := c.draw.IntN(len(all) - 1)
	a, b := c.read(all[i]), c.read(all[i+1])
	c.write(all[i], b)
	c.write(all[i+1], a)
	return all[i : i+2]
}

func (c *change) extra(path string) []string {
	c.write(path, []byte("more\n"))
	return []string{path}
}

// editManifest changes what the manifest says of a file, and the file with it.
func (c *change) editManifest() []string {
	path := c.bundle()
	before := sha256.Sum256(c.read(path))
	c.flip(path)
	after := sha256.Sum256(c.read(path))
	c.write(proof.ManifestPath, bytes.Replace(c.read(proof.ManifestPath),
		[]byte(hex.EncodeToString(before[:])), []byte(hex.EncodeToString(after[:])), 1))
	return []string{proof.ManifestPath}
}

// shorten takes a file away, and its line out of the manifest.
func (c *change) shorten() []string {
	path := c.remove()[0]
	if path == proof.ManifestPath {
		return []string{path}
	}
	lines := bytes.SplitAfter(c.read(proof.ManifestPath), []byte("\n"))
	lines = slices.DeleteFunc(lines, func(l []byte) bool { return bytes.HasPrefix(l, []byte(path+" ")) })
	c.write(proof.ManifestPath, bytes.Join(lines, nil))
	return []string{proof.ManifestPath}
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// respell changes the bits of a signature's base64 that no byte holds.
func (c *change) respell(path string) []string {
	b := c.read(path)
	end := bytes.LastIndexByte(b, '=')
	for end > 0 && b[end] == '=' {
		end--
	}
	digit := strings.IndexByte(base64Digits, b[end])
	b[end] = base64Digits[digit^(1+c.draw.IntN(3))]
	c.write(path, b)
	return []string{path}
}

// cosign adds the good signature of another key, or a line of nobody's.
func (c *change) cosign() []string {
	path := c.note()
	line := "— nobody AAAAAAAAAAAA\n"
	if c.draw.IntN(2) == 0 {
		text := string(c.read(path))
		line = text[strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1:]
	}
	c.write(path, append(c.read(path), line...))
	return []string{path}
}

// drop leaves the last entry out of a bundle, which stays well-formed, as only
// the holder of the key could.
func (c *change) drop() []string {
	path := c.paths("tile/entries/")[0]
	b := c.read(path)
	end, last := 0, 0
	for end < len(b) {
		last = end
		end += 2 + int(b[end])<<8 + int(b[end+1])
	}
	c.write(path, b[:last])
	return append(c.resign([]string{path}), "entries")
}

// resign lists what is there and signs it, as the holder of the key could.
func (c *change) resign(places []string) []string {
	m := proof.Manifest{Origin: c.origin}
	for _, path := range c.paths("") {
		if path == proof.ManifestPath {
			continue
		}
		b := c.read(path)
		m.Files = append(m.Files, proof.File{Path: path, Length: int64(len(b)), Hash: sha256.Sum256(b)})
	}
	slices.SortFunc(m.Files, func(a, b proof.File) int { return strings.Compare(a.Path, b.Path) })
	signed, err := m.Sign(c.signer)
	must(c.t, err)
	c.write(proof.ManifestPath, signed)
	return places
}
