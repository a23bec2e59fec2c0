package server

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"purser"
	"purser/internal/seal"
)

const (
	keyFileMagic  = "purser wrapped keys 1"
	maxKeyFileTop = 4 << 10
)

// ErrKeyFile says that a file is no file of wrapped keys, or another's.
var ErrKeyFile = errors.New("not the file of wrapped keys of this backup")

// keyFile is the readable beginning of a file of wrapped keys. It is
// authenticated as the name of each of its parts.
type keyFile struct {
	keyset     seal.KeyID
	deployment seal.Deployment
	size       purser.Pos // entries of the ledger that the backup holds
	backup     [8]byte    // random: no two backups share it
	made       time.Time  // in whole seconds
}

// gone is when the file must be gone, so that erasures reach the backup.
func (k keyFile) gone() time.Time { return k.made.Add(keysKept) }

func (k keyFile) bytes() []byte {
	return fmt.Appendf(nil, "%s\nkeyset %v\ndeployment %s\nentries %d\nbackup %x\nmade %s\ngone by %s\n\n",
		keyFileMagic, k.keyset, k.deployment, uint64(k.size), k.backup,
		k.made.UTC().Format(time.RFC3339), k.gone().UTC().Format(time.RFC3339))
}

// name binds the parts of the file to its beginning.
func (k keyFile) name() []byte {
	sum := sha256.Sum256(k.bytes())
	return sum[:]
}

// readKeyFile reads the beginning of a file and leaves the reader behind it.
// Only what bytes writes is taken.
func readKeyFile(from *bufio.Reader) (keyFile, error) {
	var top []byte
	for !bytes.HasSuffix(top, []byte("\n\n")) {
		line, err := from.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return keyFile{}, fmt.Errorf("read the file of wrapped keys: %w", err)
		}
		if err != nil || len(top)+len(line) > maxKeyFileTop {
			return keyFile{}, ErrKeyFile
		}
		top = append(top, line...)
	}
	k, err := parseKeyFile(strings.Split(string(top), "\n"))
	if err != nil || !bytes.Equal(k.bytes(), top) {
		return keyFile{}, ErrKeyFile
	}
	return k, nil
}

func parseKeyFile(lines []string) (k keyFile, err error) {
	if len(lines) != 9 || lines[0] != keyFileMagic {
		return k, ErrKeyFile
	}
	value := func(i int, word string) string { return strings.TrimPrefix(lines[i], word+" ") }
	if k.keyset, err = seal.ParseKeyID(value(1, "keyset")); err != nil {
		return k, err
	}
	k.deployment = seal.Deployment(value(2, "deployment"))
	size, err := strconv.ParseUint(value(3, "entries"), 10, 63)
	if err != nil {
		return k, err
	}
	k.size = purser.Pos(size)
	id, err := hex.DecodeString(value(4, "backup"))
	if err != nil || len(id) != len(k.backup) {
		return k, ErrKeyFile
	}
	copy(k.backup[:], id)
	k.made, err = time.Parse(time.RFC3339, value(5, "made"))
	return k, err
}
