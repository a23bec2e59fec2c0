package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"

	"golang.org/x/mod/sumdb/note"

	"purser/internal/seal"
)

// The settings that init fixes.
const (
	settingDeployment = "deployment"
	settingOrigin     = "origin"
	settingKey        = "keyset"
	settingLabel      = "label"
	settingNoteKey    = "note-key" // sealed
	settingVerifier   = "verifier"
)

// noteKeyKind says what the sealed signing key is.
const noteKeyKind seal.NoteKind = "checkpoint signing key"

type settings struct {
	deployment seal.Deployment
	origin     string
	key        seal.KeyID
	labelled   bool
	noteKey    []byte
	verifier   string
}

func keysetPath(data string) string { return filepath.Join(data, seal.KeysetName) }

func (d *Deployment) settings(ctx context.Context) (settings, error) {
	values := make(map[string][]byte)
	for _, name := range []string{settingDeployment, settingOrigin, settingKey, settingLabel, settingNoteKey, settingVerifier} {
		value, err := d.db.Setting(ctx, name)
		if err != nil {
			return settings{}, err
		}
		values[name] = value
	}
	if len(values[settingDeployment]) == 0 {
		return settings{}, errors.New("the directory was never finished by purser init; remove it and run init again")
	}
	key, err := seal.ParseKeyID(string(values[settingKey]))
	if err != nil {
		return settings{}, fmt.Errorf("read the keyset's id: %w", err)
	}
	return settings{
		deployment: seal.Deployment(values[settingDeployment]), origin: string(values[settingOrigin]), key: key,
		labelled: len(values[settingLabel]) > 0, noteKey: values[settingNoteKey],
		verifier: string(values[settingVerifier]),
	}, nil
}

// newSigner draws a checkpoint signing key named origin: sealed, and the text
// of its verifier.
func newSigner(keys *seal.Keys, random io.Reader, origin string) (sealed []byte, verifier string, err error) {
	private, verifier, err := note.GenerateKey(random, origin)
	if err != nil {
		return nil, "", fmt.Errorf("draw a signing key: %w", err)
	}
	sealed, err = keys.SealNote(noteKeyKind, []byte(origin), []byte(private))
	return sealed, verifier, err
}

// openSigner opens the signing key, which is sealed, and the key that checks
// it, which is not: whoever writes to the database could put his own there. So
// the second must check what the first signs.
func openSigner(keys *seal.Keys, s settings) (note.Signer, note.Verifier, error) {
	private, err := keys.OpenNote(noteKeyKind, []byte(s.origin), s.noteKey)
	if err != nil {
		return nil, nil, fmt.Errorf("open the checkpoint signing key: %w", err)
	}
	signer, err := note.NewSigner(string(private))
	if err != nil {
		return nil, nil, errors.New("read the checkpoint signing key: it is damaged; restore the database from a backup")
	}
	verifier, err := note.NewVerifier(s.verifier)
	if err != nil {
		return nil, nil, errors.New("read the key that checks checkpoints: it is damaged; restore the database from a backup")
	}
	probe, err := note.Sign(&note.Note{Text: s.origin + "\n"}, signer)
	if err == nil {
		_, err = note.Open(probe, note.VerifierList(verifier))
	}
	if err != nil {
		return nil, nil, errors.New("the stored key that checks checkpoints is not that of the signing key: " +
			"somebody changed the database; restore it from a backup")
	}
	return signer, verifier, nil
}

// noCoreDumps keeps open values and keys out of core files (L6).
func noCoreDumps() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
