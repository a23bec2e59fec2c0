package record

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"purser"
)

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

// maxDecoded bounds what a compressed file may unfold to, for each byte of it.
const maxDecoded = 1100

// input is a file that can be read from its start as often as needed.
type input struct {
	start func() (io.Reader, error) // from the first byte on
	close func() error
	total int64       // bytes
	hash  purser.Hash // of all bytes, as they came
}

// openInput takes the hash of the whole input and makes sure that it can be
// read to its end, so that one that cannot changes nothing. What can be read
// only once is kept in spoolDir until the end, encrypted under a key that is
// nowhere else than in memory (L6).
func openInput(ctx context.Context, r io.Reader, spoolDir string) (*input, error) {
	in, err := seekable(r)
	if err == nil && in == nil {
		in, err = spool(ctx, r, spoolDir)
	}
	if err != nil {
		return nil, err
	}
	if err := in.survey(ctx); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

// seekable is the input over a file, or nil where r is none.
func seekable(r io.Reader) (*input, error) {
	s, ok := r.(io.ReadSeeker)
	if !ok {
		return nil, nil
	}
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, nil // a pipe
	}
	return &input{
		start: func() (io.Reader, error) {
			_, err := s.Seek(at, io.SeekStart)
			return s, err
		},
		close: func() error { return nil },
	}, nil
}

// spool copies r into a file that has no name and that only this process can
// decrypt: it is gone with it, however it ends.
func spool(ctx context.Context, r io.Reader, dir string) (*input, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("draw a key for the input: %w", err)
	}
	f, err := os.CreateTemp(dir, "import-")
	if err != nil {
		return nil, fmt.Errorf("keep the input: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("keep the input: %w", errors.Join(err, f.Close()))
	}
	in := &input{close: f.Close, start: func() (io.Reader, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return age.Decrypt(f, identity)
	}}
	w, err := age.Encrypt(f, identity.Recipient())
	if err == nil {
		_, err = io.Copy(w, &cancelled{ctx, r})
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("keep the input: %w", errors.Join(err, f.Close()))
	}
	return in, nil
}

// cancelled ends reading when its context does.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// survey reads everything once. What is compressed is unfolded too.
func (in *input) survey(ctx context.Context) error {
	p, err := in.open(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	if _, err = io.Copy(io.Discard, p.text); err != nil {
		return p.problem(err)
	}
	if err := p.rest(); err != nil {
		return err
	}
	in.total, in.hash = p.read, p.digest()
	return nil
}

// pass is one reading of an input from its start to its end.
type pass struct {
	raw   io.Reader // counted and hashed
	sum   interface{ Sum([]byte) []byte }
	read  int64
	text  io.Reader // unfolded
	close func()
}

// open begins a pass. How the input is compressed is told by its first bytes.
func (in *input) open(ctx context.Context) (*pass, error) {
	r, err := in.start()
	if err != nil {
		return nil, fmt.Errorf("go to the start of the input: %w", err)
	}
	sum := sha256.New()
	p := &pass{sum: sum, close: func() {}}
	p.raw = &counted{r: io.TeeReader(&cancelled{ctx, r}, sum), n: &p.read}
	head := make([]byte, 4)
	n, err := io.ReadFull(p.raw, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read input: %w", err)
	}
	head = head[:n]
	whole := io.MultiReader(bytes.NewReader(head), p.raw)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(whole)
		if err != nil {
			return nil, p.problem(err)
		}
		p.text = &unfolded{z, p, 0}
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(whole, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
		if err != nil {
			return nil, p.problem(err)
		}
		p.text, p.close = &unfolded{z, p, 0}, z.Close
	default:
		p.text = whole
	}
	return p, nil
}

type counted struct {
	r io.Reader
	n *int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	*c.n += int64(n)
	return n, err
}

// unfolded refuses what unfolds to far more than any table of people does.
type unfolded struct {
	r io.Reader
	p *pass
	n int64
}

var errBomb = errors.New("unfolds to too much")

func (u *unfolded) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	u.n += int64(n)
	if u.n > maxDecoded*(u.p.read+1<<16) {
		return 0, errBomb
	}
	return n, err
}

// rest reads what follows the unfolded text, so that the digest is that of the
// whole.
func (p *pass) rest() error {
	if _, err := io.Copy(io.Discard, p.raw); err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	return nil
}

func (p *pass) digest() purser.Hash { return purser.Hash(p.sum.Sum(nil)) }

// problem tells a broken file from a broken device.
func (p *pass) problem(err error) error {
	var format *FileError
	switch {
	case errors.As(err, &format):
		return err
	case errors.Is(err, errBomb):
		return &FileError{0, "unfolds to over a thousand times its size", "give it uncompressed"}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, zstd.ErrMagicMismatch), errors.Is(err, zstd.ErrCRCMismatch), isDamage(err):
		return &FileError{0, "is compressed and damaged or cut off", "copy it again"}
	}
	return fmt.Errorf("read input: %w", err)
}

func isDamage(err error) bool {
	for _, known := range []error{
		zstd.ErrReservedBlockType, zstd.ErrCompressedSizeTooBig, zstd.ErrBlockTooSmall, zstd.ErrUnexpectedBlockSize,
		zstd.ErrWindowSizeExceeded, zstd.ErrWindowSizeTooSmall, zstd.ErrDecoderSizeExceeded, zstd.ErrUnknownDictionary,
		zstd.ErrFrameSizeExceeded, zstd.ErrFrameSizeMismatch,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
