package deliver

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"filippo.io/age"

	"purser"
)

// FileForm is how rows are written into a file.
type FileForm string

// The forms.
const (
	FileCSV   FileForm = "csv"
	FileLines FileForm = "jsonl" // one JSON object a line
)

// ErrForm says that a file cannot be written in that form.
var ErrForm = errors.New("not a form of a file: want csv or jsonl")

// ErrRecipient says that a text is no public key of age.
var ErrRecipient = errors.New("not an age recipient")

// Column is one field of a file.
type Column struct {
	Field purser.Field
	Name  string
}

// Sealed encrypts everything written to it to one recipient, on the fly: no
// readable byte reaches out. Close it to finish the file; one that was not
// finished does not decrypt to its end.
type Sealed struct {
	plain io.WriteCloser
	sum   hash.Hash
	size  int64
	out   io.Writer
}

// NewSealed begins a file that only the holder of the recipient's key reads.
func NewSealed(out io.Writer, recipient string) (*Sealed, error) {
	to, err := age.ParseX25519Recipient(recipient)
	if err != nil {
		return nil, ErrRecipient
	}
	s := &Sealed{sum: sha256.New(), out: out}
	if s.plain, err = age.Encrypt(cipherText{s}, to); err != nil {
		return nil, fmt.Errorf("begin an encrypted file: %w", err)
	}
	return s, nil
}

// cipherText is where the encrypted bytes of s go.
type cipherText struct{ s *Sealed }

// Write passes encrypted bytes on and counts them.
func (c cipherText) Write(b []byte) (int, error) {
	n, err := c.s.out.Write(b)
	c.s.sum.Write(b[:n])
	c.s.size += int64(n)
	return n, err
}

// Write encrypts b.
func (s *Sealed) Write(b []byte) (int, error) { return s.plain.Write(b) }

// Close finishes the file.
func (s *Sealed) Close() error { return s.plain.Close() }

// Sum returns size and SHA-256 of the encrypted bytes, once it is closed.
func (s *Sealed) Sum() (size int64, digest string) { return s.size, hex.EncodeToString(s.sum.Sum(nil)) }

// File is rows of customers' fields, encrypted to one recipient.
type File struct {
	*Sealed
	form    FileForm
	columns []Column
	table   *csv.Writer
	lines   *json.Encoder
	rows    int
}

// NewFile begins a file under a mandate.
func NewFile(out io.Writer, recipient string, form FileForm, id purser.MandateID, columns []Column) (*File, error) {
	sealed, err := NewSealed(out, recipient)
	if err != nil {
		return nil, err
	}
	f := &File{Sealed: sealed, form: form, columns: columns}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	switch form {
	case FileCSV:
		f.table = csv.NewWriter(sealed)
		return f, f.table.Write(append([]string{"customer", "entry"}, names...))
	case FileLines:
		f.lines = json.NewEncoder(sealed)
		f.lines.SetEscapeHTML(false)
		return f, f.lines.Encode(map[string]any{"export": "purser customers v1", "mandate": id, "fields": names})
	}
	return nil, ErrForm
}

// Add writes one customer, whose fields were released by the entry at pos.
func (f *File) Add(customer purser.CustomerID, values purser.Values, pos purser.Pos) error {
	f.rows++
	if f.form == FileCSV {
		row := []string{customer.String(), strconv.FormatUint(uint64(pos), 10)}
		for _, c := range f.columns {
			row = append(row, values[c.Field].Reveal())
		}
		return f.table.Write(row)
	}
	fields := make(map[string]string, len(values))
	for _, c := range f.columns {
		if v, held := values[c.Field]; held {
			fields[c.Name] = v.Reveal()
		}
	}
	return f.lines.Encode(map[string]any{"customer": customer, "entry": pos, "fields": fields})
}

// Close writes the end and finishes the file.
func (f *File) Close() error {
	if f.form == FileCSV {
		f.table.Flush()
		return errors.Join(f.table.Error(), f.Sealed.Close())
	}
	err := f.lines.Encode(map[string]any{"end": true, "customers": f.rows})
	return errors.Join(err, f.Sealed.Close())
}
