package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"purser"
)

// Bounds of an import.
const (
	maxRow     = 1 << 20  // bytes of one row
	maxUnnamed = 64 << 20 // bytes of an input that can be read only once
	maxCells   = 256      // columns
	maxMany    = 32       // values of one field of many
)

// sinceSuffix marks the column that says since when a channel holds its value.
const sinceSuffix = "_since"

// FileError says why a whole file is refused. It holds no part of the file.
type FileError struct {
	Line    int // 0: no line in particular
	Problem string
	WayOut  string
}

// Error names line, problem and way out.
func (e *FileError) Error() string {
	at := "file"
	if e.Line > 0 {
		at = fmt.Sprintf("line %d", e.Line)
	}
	return fmt.Sprintf("%s: %s; %s", at, e.Problem, e.WayOut)
}

// rewind gives an input that can be read twice. What cannot is kept in memory,
// never on disk (L6).
func rewind(r io.Reader) (io.ReadSeeker, error) {
	if s, ok := r.(io.ReadSeeker); ok {
		if _, err := s.Seek(0, io.SeekCurrent); err == nil {
			return s, nil
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, maxUnnamed+1))
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	if len(b) > maxUnnamed {
		return nil, &FileError{0, fmt.Sprintf("is over %d MB and can be read only once", maxUnnamed>>20), "give the file by its name"}
	}
	return bytes.NewReader(b), nil
}

// rows reads a CSV file row by row. It hashes what passes.
type rows struct {
	csv    *csv.Reader
	input  *bounded
	sum    hash.Hash
	header []string
}

// bounded refuses input that holds no end of a row for too long.
type bounded struct {
	r     io.Reader
	total int64
	left  int
}

var errLongRow = errors.New("row too long")

// Read passes on what the row may still hold.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLongRow
	}
	n, err := b.r.Read(p)
	b.left -= n
	b.total += int64(n)
	return n, err
}

func openRows(r io.Reader) (*rows, error) {
	sum := sha256.New()
	input := &bounded{r: io.TeeReader(r, sum), left: maxRow}
	in := csv.NewReader(input)
	in.FieldsPerRecord = -1 // rows of another length are rejected one by one
	in.ReuseRecord = true
	c := &rows{csv: in, input: input, sum: sum}
	header, err := c.next()
	if errors.Is(err, io.EOF) {
		return nil, &FileError{0, "is empty", "its first line names the columns"}
	}
	if err != nil {
		return nil, err
	}
	if len(header) > maxCells {
		return nil, &FileError{1, fmt.Sprintf("names %d columns", len(header)), fmt.Sprintf("keep at most %d", maxCells)}
	}
	for i, name := range header {
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		c.header = append(c.header, strings.TrimSpace(name))
	}
	return c, nil
}

// next returns the cells of the next row, which are valid until the one after.
// What breaks the structure of the file is a *FileError.
func (c *rows) next() ([]string, error) {
	c.input.left = maxRow
	cells, err := c.csv.Read()
	if err == nil || errors.Is(err, io.EOF) {
		return cells, err
	}
	var parse *csv.ParseError
	line := 0
	if errors.As(err, &parse) {
		line = parse.StartLine
	}
	switch {
	case errors.Is(err, errLongRow):
		return nil, &FileError{line, fmt.Sprintf("a row is over %d MB", maxRow>>20), "shorten it, or close its quotation mark"}
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		return nil, &FileError{line, "a quotation mark stands where none may", "put cells that hold one into quotation marks and double it"}
	}
	return nil, fmt.Errorf("read input: %w", err)
}

// line is where the row that next gave begins.
func (c *rows) line() int {
	line, _ := c.csv.FieldPos(0)
	return line
}

// digest is the hash of everything read; after the last row, of the file.
func (c *rows) digest() purser.Hash { return purser.Hash(c.sum.Sum(nil)) }

// columns says which cell holds which part of which field.
type columns struct {
	width int
	parts [][]int // by index of the schema's field: the cells to join
	since []int   // by index of the schema's field: the cell of its age, or -1
}

// columns reads a header. All problems are reported together; a name that is
// no column is not repeated, since it could be the first row of a file without
// header.
func (s *Schema) columns(header []string) (*columns, error) {
	var problems []error
	for i, name := range header {
		if !s.isColumn(name) {
			problems = append(problems, &FileError{1, fmt.Sprintf("column %d is none of the schema", i+1), "known are " + strings.Join(s.columnNames(), ", ")})
		} else if slices.Index(header, name) != i {
			problems = append(problems, &FileError{1, fmt.Sprintf("column %d is there twice", i+1), "remove one"})
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	c := &columns{width: len(header)}
	for _, f := range s.fields {
		var parts []int
		for _, name := range f.Columns {
			if i := slices.Index(header, name); i >= 0 {
				parts = append(parts, i)
			}
		}
		c.parts = append(c.parts, parts)
		c.since = append(c.since, slices.Index(header, f.Name+sinceSuffix))
	}
	return c, nil
}

func (s *Schema) columnNames() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.Columns...)
		if f.Channel {
			names = append(names, f.Name+sinceSuffix)
		}
	}
	return names
}

func (s *Schema) isColumn(name string) bool { return slices.Contains(s.columnNames(), name) }

// checkText refuses text that shows otherwise than it is, and cells longer than
// the field allows. It says what is wrong, or nothing.
func checkText(text string, longest int) string {
	switch {
	case len(text) > longest:
		return fmt.Sprintf("is over %d bytes", longest)
	case !utf8.ValidString(text):
		return "is not UTF-8"
	}
	for _, r := range text {
		switch {
		case r == utf8.RuneError:
			return "holds a replacement character: it was damaged on the way"
		case unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t':
			return "holds a control character"
		case 0x202A <= r && r <= 0x202E, 0x2066 <= r && r <= 0x2069:
			return "holds a character that changes the direction of text"
		}
	}
	return ""
}

// tidy is how text is kept: NFC, without space around it.
func tidy(text string) string { return norm.NFC.String(strings.TrimSpace(text)) }
