package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"filippo.io/age"
)

// Protection is what keeps a keyset file from whoever reads it.
type Protection string

// The protections.
const (
	ByFile       Protection = "file" // its mode alone
	ByPassphrase Protection = "passphrase"
	ByMaster     Protection = "kms"
)

func (p Protection) known() bool { return p == ByFile || p == ByPassphrase || p == ByMaster }

// Master is a key of a key-management service. It is asked once when a keyset
// is opened, never for a record, and ends what takes too long by itself.
type Master interface {
	// Wrap encrypts a key of 32 bytes.
	Wrap(key []byte) ([]byte, error)
	// Unwrap decrypts what Wrap gave. The caller clears it.
	Unwrap(wrapped []byte) ([]byte, error)
}

func (o Options) protection() Protection {
	switch {
	case o.Master != nil:
		return ByMaster
	case o.Passphrase != nil:
		return ByPassphrase
	}
	return ByFile
}

// encodeKeyset gives the bytes of the file.
func encodeKeyset(h header, s *secrets, o Options) ([]byte, error) {
	head := h.bytes()
	body := s.encode(head)
	if h.protection == ByFile {
		return append(head, body...), nil
	}
	defer clear(body)
	if h.protection == ByMaster {
		return sealUnderMaster(head, body, o.Master)
	}
	recipient, err := age.NewScryptRecipient(string(o.Passphrase))
	if err != nil {
		return nil, fmt.Errorf("use passphrase: %w", err)
	}
	factor := o.WorkFactor
	if factor == 0 {
		factor = defaultWorkFactor
	}
	if factor < 1 || factor > maxWorkFactor {
		return nil, fmt.Errorf("scrypt work factor: want 1 to %d", maxWorkFactor)
	}
	recipient.SetWorkFactor(factor)
	out := bytes.NewBuffer(head)
	w, err := age.Encrypt(out, recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return out.Bytes(), nil
}

func decodeBody(h header, body []byte, o Options) (*secrets, error) {
	var err error
	switch h.protection {
	case ByFile:
	case ByPassphrase:
		if body, err = decrypt(body, o.Passphrase); err != nil {
			return nil, o.problem(h.key.String(), err, "give the passphrase it was created with, or restore file and passphrase from their backup")
		}
		defer clear(body)
	case ByMaster:
		if body, err = openUnderMaster(h.bytes(), body, o.Master); err != nil {
			return nil, o.problem(h.key.String(), err, "check that the service answers this machine and that keyset_kms names the key it was encrypted under, or restore the file from its backup")
		}
		defer clear(body)
	}
	s, err := decodeSecrets(h.bytes(), body)
	if err != nil {
		return nil, o.problem(h.key.String(), err, "restore the file from its backup")
	}
	return s, nil
}

func decrypt(body, passphrase []byte) ([]byte, error) {
	identity, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, ErrPassphrase
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	r, err := age.Decrypt(bytes.NewReader(body), identity)
	var noMatch *age.NoIdentityMatchError
	if errors.As(err, &noMatch) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, ErrKeysetDamaged
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxKeysetFile))
	if err != nil {
		clear(plain)
		return nil, ErrKeysetDamaged
	}
	return plain, nil
}

// workFactor reads the cost out of an encrypted body, so that a file that is
// written anew costs what it did; zero means the default.
func workFactor(body []byte) int {
	lines := bytes.SplitN(body, []byte("\n"), 3)
	if len(lines) < 3 {
		return 0
	}
	words := bytes.Fields(lines[1])
	if len(words) != 4 || string(words[1]) != "scrypt" {
		return 0
	}
	n, err := strconv.Atoi(string(words[3]))
	if err != nil || n < 1 || n > maxWorkFactor {
		return 0
	}
	return n
}

// sealUnderMaster encrypts body under a key of its own, and has the service
// wrap that one: services take little, and some a few dozen bytes only.
func sealUnderMaster(head, body []byte, m Master) ([]byte, error) {
	key := make([]byte, dataKeySize)
	defer clear(key)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("draw the file's key: %w", err)
	}
	wrapped, err := m.Wrap(key)
	if err != nil {
		return nil, fmt.Errorf("have the key-management service wrap the file's key: %w", err)
	}
	if len(wrapped) > maxKeysetFile/2 {
		return nil, errors.New("the key-management service gave too long a wrapped key")
	}
	gcm, err := masterCipher(key)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint16(bytes.Clone(head), uint16(len(wrapped)))
	out = append(out, wrapped...)
	return gcm.Seal(out, nil, body, head), nil
}

func openUnderMaster(head, body []byte, m Master) ([]byte, error) {
	if len(body) < 2 || len(body) < 2+int(binary.BigEndian.Uint16(body)) {
		return nil, ErrKeysetDamaged
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	key, err := m.Unwrap(body[2:end])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMaster, err)
	}
	defer clear(key)
	if len(key) != dataKeySize {
		return nil, ErrMaster
	}
	gcm, err := masterCipher(key)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nil, body[end:], head)
	if err != nil {
		return nil, ErrKeysetDamaged
	}
	return plain, nil
}

func masterCipher(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("prepare the file's cipher: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
