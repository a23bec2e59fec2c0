package server

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/record"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
)

// keysKept is how long a file of wrapped keys may be kept.
const keysKept = time.Duration(record.KeysKept) * time.Microsecond

// BackupConfig says what is copied and where to. The two files must not exist.
type BackupConfig struct {
	Data       string
	Records    string // the database without wrapped keys
	Keys       string // the wrapped keys
	Passphrase []byte
	Master     Master
	Now        time.Time
	Random     io.Reader
}

// Backup is what was made.
type Backup struct {
	Size    purser.Pos
	Records purser.Hash // of the file
	Keys    purser.Hash
	Gone    time.Time // when the file of wrapped keys must be gone
}

// MakeBackup copies the database beside a server that may be running on it. The
// wrapped keys are taken out of the copy and into a file of their own. It writes
// no entry: see RecordBackup. On an error it removes what it made.
func MakeBackup(ctx context.Context, c BackupConfig) (b Backup, err error) {
	noCoreDumps()
	part := c.Records + ".part"
	defer func() {
		_ = os.Remove(part) // where all went well it is not there any more
		if err != nil {
			_ = os.Remove(c.Keys + ".part")
		}
	}()
	for _, name := range []string{c.Records, c.Keys} {
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			return b, fmt.Errorf("%s: %w", name, ErrBackupThere)
		}
	}
	copied, err := sqlite.Copy(ctx, c.Data, part)
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	keys, head, err := backupKeyset(copied, c)
	if err != nil {
		return b, err
	}
	if b.Records, b.Keys, err = writeKeyFile(c.Keys+".part", part, keys, head, copied); err != nil {
		return b, err
	}
	b.Size, b.Gone = head.size, head.gone()
	// The keys first: records without keys are nothing to anybody.
	return b, errors.Join(os.Rename(c.Keys+".part", c.Keys), os.Rename(part, c.Records),
		syncFolder(c.Keys), syncFolder(c.Records))
}

// ErrBackupThere says that a file of a backup would be overwritten.
var ErrBackupThere = errors.New("is there already; name another file")

func backupKeyset(copied *sqlite.Copied, c BackupConfig) (*seal.Keys, keyFile, error) {
	head := keyFile{made: c.Now.UTC().Truncate(time.Second)}
	if _, err := io.ReadFull(c.Random, head.backup[:]); err != nil {
		return nil, head, fmt.Errorf("draw the backup's id: %w", err)
	}
	deployment, err := copied.Setting(settingDeployment)
	if err != nil {
		return nil, head, fmt.Errorf("read the copy: %w", err)
	}
	id, err := copied.Setting(settingKey)
	if err != nil {
		return nil, head, fmt.Errorf("read the copy: %w", err)
	}
	if head.keyset, err = seal.ParseKeyID(string(id)); err != nil {
		return nil, head, err
	}
	if head.size, err = copied.Size(); err != nil {
		return nil, head, fmt.Errorf("read the copy: %w", err)
	}
	head.deployment = seal.Deployment(deployment)
	keys, err := seal.Open(seal.Options{
		Path: keysetPath(c.Data), Deployment: head.deployment, Key: head.keyset, Passphrase: c.Passphrase, Master: c.Master,
	})
	return keys, head, err
}

// writeKeyFile moves the wrapped keys from the copy, which is the file part, into
// a file of their own, and returns the hashes of both.
func writeKeyFile(name, part string, keys *seal.Keys, head keyFile, copied *sqlite.Copied) (of, hash purser.Hash, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return of, hash, fmt.Errorf("make the file of wrapped keys: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	to := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	if _, err := to.Write(head.bytes()); err != nil {
		return of, hash, fmt.Errorf("write the file of wrapped keys: %w", err)
	}
	w := keys.WriteKeys(to, head.name())
	if err := copied.TakeKeys(w.Put); err != nil {
		return of, hash, err
	}
	if of, err = hashOf(part); err != nil {
		return of, hash, err
	}
	if err := errors.Join(w.Close(of), to.Flush(), f.Sync()); err != nil {
		return of, hash, fmt.Errorf("write the file of wrapped keys: %w", err)
	}
	return of, purser.Hash(sum.Sum(nil)), nil
}

func hashOf(name string) (hash purser.Hash, err error) {
	f, err := os.Open(name)
	if err != nil {
		return hash, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return hash, fmt.Errorf("read %s: %w", name, err)
	}
	return purser.Hash(sum.Sum(nil)), nil
}

func syncFolder(name string) error {
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// RecordBackup writes the entry of a backup that was made.
func (d *Deployment) RecordBackup(ctx context.Context, records, keys purser.Hash) error {
	_, err := d.log.Propose(ctx, purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry {
		return &purser.BackedUp{Records: records, Keys: keys}
	})
	if err != nil {
		return fmt.Errorf("record the backup: %w", err)
	}
	return nil
}

// Pruned is a file of wrapped keys that was removed, or one that could not be
// read as one.
type Pruned struct {
	Name string
	Gone time.Time // when it had to be
}

// PruneKeys removes the files of wrapped keys in a folder whose time is over.
// Whatever else is in there stays.
func PruneKeys(folder string, now time.Time) (pruned []Pruned, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("look for files of wrapped keys: %w", err)
	}
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if !e.Type().IsRegular() {
			continue
		}
		head, err := keyFileAt(name)
		if errors.Is(err, ErrKeyFile) || err == nil && now.Before(head.gone()) {
			continue
		}
		if err == nil {
			err = destroyFile(name)
		}
		if err != nil {
			return pruned, fmt.Errorf("remove %s: %w", name, err)
		}
		pruned = append(pruned, Pruned{name, head.gone()})
	}
	return pruned, nil
}

func keyFileAt(name string) (head keyFile, err error) {
	f, err := os.Open(name)
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return readKeyFile(bufio.NewReader(f))
}

// destroyFile overwrites a file, as far as the medium lets one, and removes it.
func destroyFile(name string) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, zeros{}, info.Size())
	}
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(name))
}

// zeros reads as zeros without an end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
