package proof

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"purser"
)

// MaxNote is the longest signed note in bytes that is read.
const MaxNote = 1 << 20

// Checkpoint is the signed statement of how long the ledger is and what its
// root is (C2SP tlog-checkpoint, without extension lines).
type Checkpoint struct {
	Origin string
	Size   purser.Pos
	Root   purser.Hash
}

// Text returns the note text: three lines.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(uint64(c.Size), 10) + "\n" +
		base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// Sign returns the checkpoint as a signed note.
func (c Checkpoint) Sign(s note.Signer) ([]byte, error) {
	if _, err := parseCheckpoint(c.Text()); err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: c.Text()}, s)
}

// OpenCheckpoint reads a note that v signed and nobody else. Every other
// spelling of the same checkpoint is refused.
func OpenCheckpoint(msg []byte, v note.Verifier) (Checkpoint, error) {
	text, err := openNote(msg, v, MaxNote)
	if err != nil {
		return Checkpoint{}, err
	}
	return parseCheckpoint(text)
}

// ReadCheckpoint reads a note without looking at its signatures.
func ReadCheckpoint(msg []byte) (Checkpoint, error) {
	text, _, ok := bytes.Cut(msg, []byte("\n\n"))
	if len(msg) > MaxNote || !ok {
		return Checkpoint{}, fmt.Errorf("%w: no signed note", ErrBadProof)
	}
	return parseCheckpoint(string(text) + "\n")
}

func parseCheckpoint(text string) (Checkpoint, error) {
	bad := fmt.Errorf("%w: not a checkpoint", ErrBadProof)
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return Checkpoint{}, bad
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return Checkpoint{}, bad
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	c := Checkpoint{Origin: lines[0], Size: purser.Pos(size)}
	if err != nil || copy(c.Root[:], root) != len(root) || len(root) != len(c.Root) || c.Text() != text {
		return Checkpoint{}, bad
	}
	return c, nil
}

// openNote checks that msg carries one signature, by v, and returns the text.
// Signature lines are built anew and compared, since base64 leaves free bits
// and the library skips lines of keys that it does not know.
func openNote(msg []byte, v note.Verifier, most int) (string, error) {
	if len(msg) > most {
		return "", fmt.Errorf("%w: note of %d bytes", ErrBadProof, len(msg))
	}
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadProof, noteError(err))
	}
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return "", fmt.Errorf("%w: want one signature, by %s", ErrBadProof, v.Name())
	}
	raw, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return "", fmt.Errorf("%w: signature is no base64", ErrBadProof)
	}
	again := n.Text + "\n\u2014 " + v.Name() + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	if again != string(msg) {
		return "", fmt.Errorf("%w: signed note in another spelling", ErrBadProof)
	}
	return n.Text, nil
}

// noteError keeps what the library says, except that an unverified note comes
// as an error that carries the whole note.
func noteError(err error) error {
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		return errors.New("not signed by the given key")
	}
	return err
}
