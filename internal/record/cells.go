package record

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// Bounds of a row.
const (
	maxRow   = 1 << 20 // bytes
	maxCells = 256     // columns
	maxMany  = 32      // values of one field of many
)

// raw is one row as it stands in the file.
type raw struct {
	line     int    // on which it begins, from 1
	from, to int    // of its chunk's text, without the line's end
	problem  string // why it cannot be taken apart; empty if it can
}

// chunk is some rows of a file.
type chunk struct {
	text string
	rows []raw
	read int64 // bytes of the input behind its last row
}

// splitter finds the rows of a text: a line each, or more where a quotation
// mark is open. A row that is broken takes nothing with it: its first line is
// reported and the next line is a row again.
type splitter struct {
	pass   *pass
	quotes bool // a quotation mark keeps a cell together over lines
	comma  byte
	buf    []byte // from at on: read and not split yet
	at     int
	ended  bool // of the text
	line   int  // of what stands at at
}

func newSplitter(p *pass, quotes bool, comma byte) *splitter {
	return &splitter{pass: p, quotes: quotes, comma: comma, line: 1}
}

// fill reads more of the text; false at its end.
func (s *splitter) fill() (bool, error) {
	if s.ended {
		return false, nil
	}
	if s.at > 0 {
		s.buf = append(s.buf[:0], s.buf[s.at:]...)
		s.at = 0
	}
	have := len(s.buf)
	if cap(s.buf)-have < 1<<18 {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)+1<<19), s.buf...)
	}
	n, err := s.pass.text.Read(s.buf[have : have+1<<18])
	s.buf = s.buf[:have+n]
	if errors.Is(err, io.EOF) {
		s.ended = true
		return n > 0, nil
	}
	if err != nil {
		return false, s.pass.problem(err)
	}
	return true, nil
}

// next returns at most n rows; none at the end of the text. Empty lines are no
// rows.
func (s *splitter) next(n int) (*chunk, error) {
	c := &chunk{rows: make([]raw, 0, n)}
	var text strings.Builder
	text.Grow(len(s.buf) - s.at)
	for len(c.rows) < n {
		row, r, err := s.row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(row) == 0 && r.problem == "" {
			continue
		}
		r.from = text.Len()
		text.Write(row)
		r.to = text.Len()
		c.rows = append(c.rows, r)
	}
	c.text, c.read = text.String(), s.pass.read
	return c, nil
}

// row returns the next row, valid until the next call, or io.EOF.
func (s *splitter) row() ([]byte, raw, error) {
	r := raw{line: s.line}
	end, err := s.lineEnd(s.at)
	if err != nil {
		return nil, r, err
	}
	if end < 0 {
		return nil, raw{r.line, 0, 0, problemLong}, s.skipLine()
	}
	if end == s.at && s.ended && end == len(s.buf) {
		return nil, r, io.EOF
	}
	if s.quotes && bytes.IndexByte(s.buf[s.at:end], '"') >= 0 {
		if end, r.problem, err = s.quoted(end); err != nil {
			return nil, r, err
		}
	}
	row := s.buf[s.at:end]
	s.line += 1 + bytes.Count(row, []byte{'\n'})
	s.at = min(end+1, len(s.buf))
	if r.problem != "" {
		return nil, r, nil
	}
	return bytes.TrimSuffix(row, []byte{'\r'}), r, nil
}

const (
	problemLong  = "is over 1 MB"
	problemQuote = "a quotation mark stands where none may"
	problemOpen  = "a quotation mark is never closed"
)

// lineEnd returns where the line that holds from ends, or -1 when it is over a
// row's length. from counts from the start of the buffer, which fill moves: it
// is given and returned relative to at.
func (s *splitter) lineEnd(from int) (int, error) {
	off := from - s.at
	for {
		if i := bytes.IndexByte(s.buf[s.at+off:], '\n'); i >= 0 {
			if off+i > maxRow {
				return -1, nil
			}
			return s.at + off + i, nil
		}
		off = len(s.buf) - s.at
		if off > maxRow {
			return -1, nil
		}
		more, err := s.fill()
		if err != nil {
			return 0, err
		}
		if !more {
			return len(s.buf), nil
		}
	}
}

// skipLine leaves a line that is too long.
func (s *splitter) skipLine() error {
	for {
		if i := bytes.IndexByte(s.buf[s.at:], '\n'); i >= 0 {
			s.at += i + 1
			s.line++
			return nil
		}
		s.at = len(s.buf)
		more, err := s.fill()
		if err != nil || !more {
			return err
		}
	}
}

// quoted returns where a row ends that has a quotation mark in its first line.
// For one that is broken that is the end of its first line.
func (s *splitter) quoted(first int) (end int, problem string, err error) {
	line := first - s.at // everything below counts from at, since fill moves
	at := 0
	for {
		// at stands at the beginning of a cell.
		if s.at+at >= len(s.buf) || s.buf[s.at+at] != '"' {
			stop := bytes.IndexAny(s.buf[s.at+at:], string([]byte{s.comma, '\n', '"'}))
			switch {
			case stop < 0 && !s.ended:
				if end, err = s.lineEnd(s.at + at); err != nil || end < 0 {
					return s.at + line, problemLong, err
				}
				continue
			case stop < 0:
				return len(s.buf), "", nil
			case s.buf[s.at+at+stop] == '"':
				return s.at + line, problemQuote, nil
			case s.buf[s.at+at+stop] == '\n':
				return s.at + at + stop, "", nil
			}
			at += stop + 1
			continue
		}
		at++
		after, problem, err := s.closing(at)
		if err != nil || problem != "" {
			return s.at + line, problem, err
		}
		switch at = after; {
		case s.at+at == len(s.buf) || s.buf[s.at+at] == '\n':
			return s.at + at, "", nil
		case s.buf[s.at+at] == '\r' && (s.at+at+1 == len(s.buf) || s.buf[s.at+at+1] == '\n'):
			return min(s.at+at+1, len(s.buf)), "", nil
		case s.buf[s.at+at] != s.comma:
			return s.at + line, problemQuote, nil
		}
		at++
	}
}

// closing returns where the text goes on behind the quotation mark that closes
// a cell which begins at at, with the two bytes after it in the buffer.
func (s *splitter) closing(at int) (after int, problem string, err error) {
	for {
		if i := bytes.IndexByte(s.buf[s.at+at:], '"'); i >= 0 && (s.ended || s.at+at+i+2 < len(s.buf)) {
			at += i + 1
			if at > maxRow {
				return 0, problemLong, nil
			}
			if s.at+at < len(s.buf) && s.buf[s.at+at] == '"' {
				at++
				continue
			}
			return at, "", nil
		}
		if len(s.buf)-s.at > maxRow+4 {
			return 0, problemOpen, nil
		}
		if s.ended {
			return 0, problemOpen, nil
		}
		if _, err := s.fill(); err != nil {
			return 0, "", err
		}
	}
}

// cut takes a row apart. It is one that a splitter found whole.
func cut(row string, comma byte, cells []string) []string {
	for {
		if !strings.HasPrefix(row, `"`) {
			i := strings.IndexByte(row, comma)
			if i < 0 {
				return append(cells, row)
			}
			cells = append(cells, row[:i])
			row = row[i+1:]
			continue
		}
		end := 1
		for {
			end += strings.IndexByte(row[end:], '"')
			if end+1 >= len(row) || row[end+1] != '"' {
				break
			}
			end += 2
		}
		cells = append(cells, strings.ReplaceAll(row[1:end], `""`, `"`))
		if row = row[end+1:]; row == "" {
			return cells
		}
		row = row[1:] // the comma
	}
}

// peek has the first bytes of the text in the buffer, behind a byte order mark
// and white space.
func (s *splitter) peek() error {
	if _, err := s.lineEnd(s.at); err != nil {
		return err
	}
	s.buf = bytes.TrimPrefix(s.buf, []byte("\ufeff"))
	return nil
}
