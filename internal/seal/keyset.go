package seal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"

	"purser"
)

// The keyset file's names and limits.
const (
	// KeysetName is the file inside a data directory.
	KeysetName = "keyset"
	// RingName is the file of attempt keys beside it.
	RingName = "attempt.keys"

	keysetMagic   = "purser keyset 1"
	keysetPurpose = "records"
	maxKeysetFile = 64 << 10
	// defaultWorkFactor is the binary logarithm of scrypt's cost: about a
	// second. What a file may ask for at most bounds how long opening takes.
	defaultWorkFactor = 18
	maxWorkFactor     = 20
	maxDeployment     = 64
)

// Conditions of a keyset that keep Purser from starting.
var (
	ErrNoKeyset      = errors.New("keyset is missing")
	ErrWrongKeyset   = errors.New("keyset belongs elsewhere")
	ErrPassphrase    = errors.New("passphrase does not open the keyset")
	ErrKeysetDamaged = errors.New("keyset is damaged")
	ErrKeysetExposed = errors.New("keyset can be read by others")
	ErrMaster        = errors.New("the key-management service does not open the keyset")
	ErrKeyMissing    = errors.New("a key that the ledger names is not in the keyset")
)

// KeysetError says what is wrong with a keyset file and the way out. It never
// holds a secret.
type KeysetError struct {
	Path   string
	Key    string // id from the file's header, or the one that was wanted
	Cause  error  // one of the conditions, or an input or output error
	WayOut string
}

// Error names file, key, problem and way out.
func (e *KeysetError) Error() string {
	return fmt.Sprintf("open keyset %s (key %s): %v; %s", e.Path, e.Key, e.Cause, e.WayOut)
}

// Unwrap returns the condition.
func (e *KeysetError) Unwrap() error { return e.Cause }

// Options say which keyset is meant and how it is protected.
type Options struct {
	Path       string // of the keyset file
	Deployment Deployment
	// Key is the id that the database was sealed under; zero accepts any.
	Key KeyID
	// Passphrase encrypts the file. The caller owns and clears it.
	Passphrase []byte
	// Master encrypts the file in place of a passphrase. Without either, it is
	// readable to whoever can read the file, with a warning.
	Master Master
	// WorkFactor is the binary logarithm of scrypt's cost when a passphrase is
	// set. Zero means 18, about a second; tests and demos take 10.
	WorkFactor int
	// Ring keeps the attempt keys. Nil means the file RingName beside Path.
	Ring Ring
}

// secrets is what the file protects.
type secrets struct{ wrap, notes, indexes, derive []byte }

func (s *secrets) clear() {
	for _, b := range [][]byte{s.wrap, s.notes, s.indexes, s.derive} {
		clear(b)
	}
}

// Create makes a new keyset, writes its file and opens it. An existing file is
// never overwritten: it fails with fs.ErrExist.
func Create(o Options) (*Keys, error) {
	if err := o.Deployment.check(); err != nil {
		return nil, err
	}
	head := header{deployment: o.Deployment, protection: o.protection()}
	if _, err := rand.Read(head.key[:]); err != nil {
		return nil, fmt.Errorf("draw key id: %w", err)
	}
	s, err := drawSecrets()
	if err != nil {
		return nil, fmt.Errorf("create keyset: %w", err)
	}
	defer s.clear()
	b, err := encodeKeyset(head, s, o)
	if err != nil {
		return nil, fmt.Errorf("create keyset: %w", err)
	}
	if err := writeNew(o.Path, b); err != nil {
		return nil, fmt.Errorf("create keyset %s: %w", o.Path, err)
	}
	return build(head, s, o)
}

// Open reads the keyset that o names. What is wrong comes as a *KeysetError.
func Open(o Options) (*Keys, error) {
	b, err := readKeyset(o)
	if err != nil {
		return nil, err
	}
	head, body, err := parseHeader(b)
	if err != nil {
		return nil, o.problem(o.Key.String(), err, "restore the file from its backup")
	}
	if err := head.check(o); err != nil {
		return nil, err
	}
	s, err := decodeBody(head, body, o)
	if err != nil {
		return nil, err
	}
	defer s.clear()
	k, err := build(head, s, o)
	if err != nil {
		return nil, o.problem(head.key.String(), err, "restore the files from their backup")
	}
	return k, nil
}

func (o Options) problem(key string, cause error, wayOut string) error {
	return &KeysetError{Path: o.Path, Key: key, Cause: cause, WayOut: wayOut}
}

func readKeyset(o Options) ([]byte, error) {
	f, err := os.Open(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, o.problem(o.Key.String(), ErrNoKeyset,
			"copy the file back from its backup (without it nothing sealed can be opened); a new deployment gets one from purser init")
	}
	if err != nil {
		return nil, o.problem(o.Key.String(), err, "make the file readable to the account Purser runs under")
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, o.problem(o.Key.String(), err, "check the disk")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, o.problem(o.Key.String(), ErrKeysetExposed, "run chmod 600 on it, and consider who could have copied it")
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeysetFile+1))
	if err != nil {
		return nil, o.problem(o.Key.String(), err, "check the disk")
	}
	if len(b) > maxKeysetFile {
		return nil, o.problem(o.Key.String(), ErrKeysetDamaged, "restore the file from its backup")
	}
	return b, nil
}

// header is the readable beginning of the file. The protected part repeats it
// byte for byte, so a header of another file does not fit.
type header struct {
	key        KeyID
	deployment Deployment
	protection Protection
}

func (h header) bytes() []byte {
	return fmt.Appendf(nil, "%s\nkey %v\ndeployment %s\npurpose %s\nprotection %s\n\n",
		keysetMagic, h.key, h.deployment, keysetPurpose, h.protection)
}

// parseHeader accepts exactly what header.bytes writes.
func parseHeader(b []byte) (header, []byte, error) {
	head, body, ok := bytes.Cut(b, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !ok || len(lines) != 5 || !strings.HasPrefix(lines[0], "purser keyset ") {
		return header{}, nil, ErrKeysetDamaged
	}
	if lines[0] != keysetMagic {
		return header{}, nil, fmt.Errorf("%w: written by a newer Purser, this one reads format 1", ErrWrongKeyset)
	}
	var h header
	var err error
	if h.key, err = ParseKeyID(strings.TrimPrefix(lines[1], "key ")); err != nil {
		return header{}, nil, ErrKeysetDamaged
	}
	h.deployment = Deployment(strings.TrimPrefix(lines[2], "deployment "))
	h.protection = Protection(strings.TrimPrefix(lines[4], "protection "))
	if !h.protection.known() {
		return header{}, nil, ErrKeysetDamaged
	}
	if h.deployment.check() != nil {
		return header{}, nil, ErrKeysetDamaged
	}
	if lines[3] != "purpose "+keysetPurpose {
		return header{}, nil, fmt.Errorf("%w: it has another purpose than %s", ErrWrongKeyset, keysetPurpose)
	}
	if !bytes.HasPrefix(b, h.bytes()) {
		return header{}, nil, ErrKeysetDamaged
	}
	return h, body, nil
}

func (h header) check(o Options) error {
	if h.deployment != o.Deployment {
		return o.problem(h.key.String(), fmt.Errorf("%w: to deployment %s, not %s", ErrWrongKeyset, h.deployment, o.Deployment),
			"put the keyset of this deployment in its place")
	}
	if o.Key != (KeyID{}) && h.key != o.Key {
		return o.problem(h.key.String(), fmt.Errorf("%w: this database is sealed under key %v", ErrWrongKeyset, o.Key),
			"put that keyset in its place")
	}
	switch {
	case h.protection == ByPassphrase && o.Passphrase == nil:
		return o.problem(h.key.String(), ErrPassphrase, "it is encrypted: name the file that holds its passphrase")
	case h.protection == ByMaster && o.Master == nil:
		return o.problem(h.key.String(), ErrMaster,
			"it is encrypted by a key-management service: name that key as keyset_kms in purser.yaml, and run the program that is built with it (docs/operate/keys.md)")
	}
	return nil
}

func (d Deployment) check() error {
	ok := d != "" && len(d) <= maxDeployment
	for _, c := range []byte(d) {
		ok = ok && c > ' ' && c < 0x7f
	}
	if !ok {
		return fmt.Errorf("deployment: want 1 to %d printable ASCII characters without spaces", maxDeployment)
	}
	return nil
}

// code lists the parts of the protected body.
func (s *secrets) code(c *purser.Coder, head *[]byte) {
	c.Blob(head)
	c.Blob(&s.wrap)
	c.Blob(&s.notes)
	c.Blob(&s.indexes)
	c.Blob(&s.derive)
}

func (s *secrets) encode(head []byte) []byte {
	c := purser.NewEncoder(nil)
	s.code(c, &head)
	sum := sha256.Sum256(c.Bytes())
	return append(c.Bytes(), sum[:]...)
}

func decodeSecrets(head, body []byte) (*secrets, error) {
	if len(body) < sha256.Size {
		return nil, ErrKeysetDamaged
	}
	body, end := body[:len(body)-sha256.Size], body[len(body)-sha256.Size:]
	sum := sha256.Sum256(body)
	c := purser.NewDecoder(body)
	s, repeated := new(secrets), []byte(nil)
	s.code(c, &repeated)
	if c.End() != nil || subtle.ConstantTimeCompare(sum[:], end) != 1 || !bytes.Equal(repeated, head) {
		s.clear()
		return nil, ErrKeysetDamaged
	}
	return s, nil
}

func drawSecrets() (*secrets, error) {
	s := new(secrets)
	for _, k := range []struct {
		into     *[]byte
		template *tinkpb.KeyTemplate
	}{
		{&s.wrap, aead.AES256GCMKeyTemplate()},
		{&s.notes, aead.AES256GCMKeyTemplate()},
		{&s.indexes, prf.HMACSHA256PRFKeyTemplate()},
		{&s.derive, prf.HMACSHA256PRFKeyTemplate()},
	} {
		handle, err := keyset.NewHandle(k.template)
		if err != nil {
			return nil, fmt.Errorf("draw keys: %w", err)
		}
		var out bytes.Buffer
		if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&out)); err != nil {
			return nil, fmt.Errorf("encode keys: %w", err)
		}
		*k.into = out.Bytes()
	}
	return s, nil
}

// build makes the keys that the secrets hold.
func build(h header, s *secrets, o Options) (*Keys, error) {
	k := &Keys{id: h.key, deployment: h.deployment, path: o.Path, ring: o.Ring}
	if h.protection == ByFile {
		k.warning = fmt.Sprintf("keyset %s is protected by file permissions alone: whoever copies it and the database reads every record", o.Path)
	}
	if k.ring == nil {
		k.ring = FileRing(filepath.Join(filepath.Dir(o.Path), RingName))
	}
	derive, err := readPRF(s.derive)
	if err != nil {
		return nil, err
	}
	if err := k.load(s); err != nil {
		return nil, err
	}
	if k.notes, err = readAEAD(s.notes); err != nil {
		return nil, err
	}
	k.shuffles = new(shuffle)
	for into, label := range map[*[32]byte]string{&k.commits: "purser commitments 1", &k.shuffles.key: "purser references 1"} {
		out, err := derive.ComputePrimaryPRF([]byte(label), uint32(len(into)))
		if err != nil {
			return nil, ErrKeysetDamaged
		}
		copy(into[:], out)
		clear(out)
	}
	return k, k.loadRing()
}

func readHandle(b []byte) (*keyset.Handle, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(b)))
	if err != nil {
		return nil, ErrKeysetDamaged // the cause could quote key material
	}
	return handle, nil
}

func readAEAD(b []byte) (tink.AEAD, error) {
	handle, err := readHandle(b)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, ErrKeysetDamaged
	}
	return primitive, nil
}

func readPRF(b []byte) (*prf.Set, error) {
	handle, err := readHandle(b)
	if err != nil {
		return nil, err
	}
	set, err := prf.NewPRFSet(handle)
	if err != nil {
		return nil, ErrKeysetDamaged
	}
	return set, nil
}
