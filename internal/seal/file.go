package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeNew creates path with b, durably and only if it is not there.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(writeSynced(f, b), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncDir(filepath.Dir(path))
}

func writeSynced(f *os.File, b []byte) error {
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// fileRing keeps the attempt keys in one file.
type fileRing struct{ path string }

// FileRing returns a ring that keeps the attempt keys in the file at path.
func FileRing(path string) Ring { return fileRing{path} }

// maxRingFile is more than any ring takes.
const maxRingFile = 4 << 10

// Load reads the file.
func (r fileRing) Load() ([]byte, error) {
	info, err := os.Stat(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxRingFile || info.Size() == 0 {
		return nil, ErrRing
	}
	return os.ReadFile(r.path)
}

// Store replaces the file and overwrites the bytes of the old one.
func (r fileRing) Store(sealed []byte) error { return replace(r.path, sealed) }

// replace writes a file beside the one at path, exchanges them, and then
// overwrites the old one's bytes. A crash leaves the one or the other whole.
func replace(path string, b []byte) error {
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if old != nil {
		defer func() { _ = old.Close() }()
	}
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(next, b); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	return destroy(old)
}

// destroy overwrites a file that no name leads to any more.
func destroy(f *os.File) error {
	if f == nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("overwrite the old keys: %w", err)
	}
	if err := writeSynced(f, make([]byte, info.Size())); err != nil {
		return fmt.Errorf("overwrite the old keys: %w", err)
	}
	return nil
}
