package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
)

// DoorTime is how long the bootstrap door stays open after init.
const DoorTime = 30 * time.Minute

// InitConfig says what a new deployment is made of. Data, Clock and Random
// are required.
type InitConfig struct {
	Data       string
	Host       string // names the ledger: its origin begins with it
	Passphrase []byte // nil: the keyset file is not encrypted
	Master     Master // encrypts the keyset file in place of a passphrase
	WorkFactor int    // of the passphrase; zero means the default
	Schema     []byte // nil: airline
	Labelled   bool   // a demo or scratch directory
	Clock      Clock
	Random     io.Reader
	Software   string
}

// Made is what init tells the operator.
type Made struct {
	Deployment seal.Deployment
	Verifier   string
	Warning    string // when the keyset is not encrypted
	DoorUntil  time.Time
}

// ErrNotEmpty says that a new deployment was asked for where something is.
var ErrNotEmpty = errors.New("the directory is not empty")

// Init makes a deployment in an empty or missing directory and opens the
// bootstrap door. On error it removes what it made.
func Init(ctx context.Context, c InitConfig) (made Made, err error) {
	noCoreDumps()
	existed, err := emptyDir(c.Data)
	if err != nil {
		return Made{}, err
	}
	defer func() {
		if err != nil {
			removeMade(c.Data, existed)
		}
	}()
	schemaText, schema, err := readSchema(c.Schema)
	if err != nil {
		return Made{}, err
	}
	policyText, set, err := readPolicies()
	if err != nil {
		return Made{}, err
	}
	db, err := sqlite.Open(ctx, sqlite.Config{Dir: c.Data, Create: true})
	if err != nil {
		return Made{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	keys, settings, err := makeKeys(ctx, db, c)
	if err != nil {
		return Made{}, err
	}
	made = Made{Deployment: settings.deployment, Verifier: settings.verifier, Warning: keys.Warning()}
	made.DoorUntil = c.Clock.Now().Add(DoorTime)
	signer, verifier, err := openSigner(keys, settings)
	if err != nil {
		return Made{}, err
	}
	list := firstConfiguration(schemaText, policyText, [2]purser.Hash{schema.Hash(), set.Hash()}, c.Labelled, made.DoorUntil)
	return made, entries(ctx, db, c, signer, verifier, list)
}

// readSchema parses the schema text, or the default one.
func readSchema(text []byte) ([]byte, *record.Schema, error) {
	if text == nil {
		text = record.DefaultText()
	}
	schema, err := record.Parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("schema: %w", err)
	}
	return text, schema, nil
}

// emptyDir makes sure that nothing is lost, and reports whether the directory
// was there.
func emptyDir(dir string) (existed bool, err error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look into %s: %w", dir, err)
	}
	for _, n := range names {
		if n.Name() != "purser.yaml" { // may be written before init
			return true, fmt.Errorf("%s: %w; name another one", dir, ErrNotEmpty)
		}
	}
	return true, nil
}

func removeMade(dir string, existed bool) {
	if !existed {
		_ = os.RemoveAll(dir)
		return
	}
	names, _ := os.ReadDir(dir)
	for _, n := range names {
		if n.Name() != "purser.yaml" {
			_ = os.RemoveAll(filepath.Join(dir, n.Name()))
		}
	}
}

// first is an entry of a new ledger with the text that it names, if any.
type first struct {
	entry purser.Entry
	text  []byte
}

// firstConfiguration returns the entries that every ledger begins with:
// schema, policies, door.
func firstConfiguration(schema, policies []byte, hashes [2]purser.Hash, labelled bool, until time.Time) []first {
	door := &purser.Door{State: purser.DoorOpen, Until: purser.StampOf(until)}
	if labelled {
		door = &purser.Door{State: purser.DoorLabelled}
	}
	return []first{
		{&purser.Configuration{What: purser.ConfigSchema, Hash: hashes[0]}, schema},
		{&purser.Configuration{What: purser.ConfigPolicy, Hash: hashes[1]}, policies},
		{door, nil},
	}
}

// entries writes them, each with its text in one transaction.
func entries(ctx context.Context, db *sqlite.DB, c InitConfig, signer note.Signer, verifier note.Verifier, list []first) (err error) {
	log, err := ledger.Open(ctx, ledger.Config[*fold.State]{
		Store: db, New: fold.New, Clock: c.Clock, Software: c.Software, FoldVersion: fold.Version,
		Signer: signer, Origin: verifier.Name(), Verifier: verifier,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	for _, f := range list {
		_, err := log.ProposeRows(ctx, purser.VendorID{},
			func(*fold.State, purser.Stamp) purser.Entry { return f.entry },
			func(tx ledger.Tx, _ purser.Pos, e purser.Entry) error {
				if set, ok := e.(*purser.Configuration); ok {
					return db.PutConfiguration(tx, set.Hash, f.text)
				}
				return nil
			})
		if err != nil {
			return fmt.Errorf("write the first entries: %w", err)
		}
	}
	return nil
}

func makeKeys(ctx context.Context, db *sqlite.DB, c InitConfig) (*seal.Keys, settings, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(c.Random, id); err != nil {
		return nil, settings{}, fmt.Errorf("draw the deployment's id: %w", err)
	}
	name := hex.EncodeToString(id)
	s := settings{deployment: seal.Deployment(name), origin: c.Host + "/" + name, labelled: c.Labelled}
	keys, err := seal.Create(seal.Options{
		Path: keysetPath(c.Data), Deployment: s.deployment, Passphrase: c.Passphrase, Master: c.Master, WorkFactor: c.WorkFactor,
	})
	if err != nil {
		return nil, settings{}, err
	}
	if s.noteKey, s.verifier, err = newSigner(keys, c.Random, s.origin); err != nil {
		return nil, settings{}, err
	}
	values := map[string][]byte{
		settingDeployment: []byte(s.deployment), settingOrigin: []byte(s.origin), settingKey: []byte(keys.ID().String()),
		settingNoteKey: s.noteKey, settingVerifier: []byte(s.verifier),
	}
	if c.Labelled {
		values[settingLabel] = []byte("scratch")
	}
	return keys, s, db.PutSettings(ctx, values)
}
