package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"purser"
)

// keyPart says what the parts of a file of wrapped keys are.
const keyPart NoteKind = "wrapped keys of a backup"

// The sizes of a file of wrapped keys.
const (
	keysAPart  = 4096
	maxKey     = 1 << 10
	maxKeyPart = 2 + keysAPart*(4+2+maxKey) + 64
)

// ErrKeyFile says that a file of wrapped keys is not what was written: damaged,
// cut short, or of another backup.
var ErrKeyFile = errors.New("file of wrapped keys is damaged, or of another backup")

// KeyWriter writes wrapped data keys, which the keyset's note keys seal once
// more, part by part. What is written is bound to the name of the whole.
type KeyWriter struct {
	keys *Keys
	to   io.Writer
	name []byte
	part uint32
	rows []keyRow
}

type keyRow struct {
	ordinal purser.Ordinal
	wrapped []byte
}

// WriteKeys begins a file.
func (k *Keys) WriteKeys(to io.Writer, name []byte) *KeyWriter {
	return &KeyWriter{keys: k, to: to, name: name}
}

// Put adds a key, of ascending ordinals. It keeps wrapped.
func (w *KeyWriter) Put(o purser.Ordinal, wrapped []byte) error {
	if len(wrapped) > maxKey {
		return fmt.Errorf("write data key of %d: %w", o, errTooLong)
	}
	if w.rows = append(w.rows, keyRow{o, wrapped}); len(w.rows) < keysAPart {
		return nil
	}
	return w.flush()
}

// Close writes what is left, and the last part, without keys, by which a reader
// knows that nothing was cut off. It holds the hash of what belongs to the keys.
func (w *KeyWriter) Close(of purser.Hash) error {
	if len(w.rows) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.write(&of)
}

func (w *KeyWriter) flush() error { return w.write(new(purser.Hash)) }

func (w *KeyWriter) write(of *purser.Hash) error {
	c := purser.NewEncoder(nil)
	codeKeyRows(c, &w.rows)
	of.Code(c)
	sealed, err := w.keys.SealNote(keyPart, partOf(w.name, w.part), c.Bytes())
	if err != nil {
		return err
	}
	w.rows, w.part = w.rows[:0], w.part+1
	_, err = w.to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(sealed))), sealed...))
	return err
}

func codeKeyRows(c *purser.Coder, rows *[]keyRow) {
	n := c.Count(len(*rows), 6)
	if c.Reading() {
		*rows = make([]keyRow, n)
	}
	for i := range *rows {
		c.Ordinal(&(*rows)[i].ordinal)
		c.Blob(&(*rows)[i].wrapped)
	}
}

func partOf(name []byte, part uint32) []byte {
	return binary.BigEndian.AppendUint32(name[:len(name):len(name)], part)
}

// ReadKeys hands the keys of a file to each, part by part, none empty, and
// returns the hash of what belongs to them. All of the file has been read then;
// what is wrong with it wraps ErrKeyFile.
func (k *Keys) ReadKeys(from io.Reader, name []byte, each func(map[purser.Ordinal][]byte) error) (of purser.Hash, err error) {
	for part := uint32(0); ; part++ {
		rows, hash, err := k.readPart(from, partOf(name, part))
		if err != nil {
			return of, fmt.Errorf("%w: part %d", err, part)
		}
		if len(rows) == 0 {
			of = hash
			break
		}
		wrapped := make(map[purser.Ordinal][]byte, len(rows))
		for _, row := range rows {
			wrapped[row.ordinal] = row.wrapped
		}
		if err := each(wrapped); err != nil {
			return of, err
		}
	}
	if n, err := from.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return of, fmt.Errorf("%w: something follows its end", ErrKeyFile)
	}
	return of, nil
}

func (k *Keys) readPart(from io.Reader, name []byte) (rows []keyRow, of purser.Hash, err error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, of, fmt.Errorf("%w: it is cut short", ErrKeyFile)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxKeyPart {
		return nil, of, ErrKeyFile
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(from, sealed); err != nil {
		return nil, of, fmt.Errorf("%w: it is cut short", ErrKeyFile)
	}
	plain, err := k.OpenNote(keyPart, name, sealed)
	if err != nil {
		return nil, of, ErrKeyFile
	}
	c := purser.NewDecoder(plain)
	codeKeyRows(c, &rows)
	of.Code(c)
	if c.End() != nil {
		return nil, of, ErrKeyFile
	}
	return rows, of, nil
}
