package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
	"purser/proof"
)

// RestoreConfig says what a deployment is restored from. Config.Data names the
// empty or missing directory to be made.
type RestoreConfig struct {
	Config
	Records, Keys string // the files of the backup
	Keyset        string // the keyset file
	// Ledger is a folder that export wrote, of the ledger as it went on after
	// the backup. Empty means that it is lost, which Lost must say too.
	Ledger string
	Lost   bool
	Tell   func(done, total purser.Pos) // how far the ledger is; may be nil
}

// Restored is what a restore has come to.
type Restored struct {
	Rows     purser.Pos // entries of the backup
	Size     purser.Pos // of the ledger behind it
	Erased   int        // customers who were erased after the backup
	Expired  int        // customers of whom fields ran out after it
	Lost     []LostRows
	Verifier string // the key that checks the ledger from now on
}

// LostRows counts entries after the backup whose rows it does not have.
type LostRows struct {
	What    string
	Entries int
	First   purser.Pos
}

// Conditions of a restore.
var (
	// ErrNoLedger says that a restore without the later ledger was asked for.
	ErrNoLedger = errors.New("the ledger that went on after the backup is needed: erasures after it would be undone")
	// ErrBadProof says that a later ledger does not hold.
	ErrBadProof = proof.ErrBadProof
	// ErrOtherBackup says that files do not belong together.
	ErrOtherBackup = errors.New("the files do not belong together")
)

// Restore makes a deployment of a backup and of the ledger that went on after
// it. Later entries are appended as they are; every erasure and expiry of them is
// applied in the transaction of the entry that tells of the restore. On an error
// it removes what it made.
func Restore(ctx context.Context, c RestoreConfig) (out Restored, err error) {
	noCoreDumps()
	if (c.Ledger == "") != c.Lost {
		return out, ErrNoLedger
	}
	existed, err := emptyDir(c.Data)
	if err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			removeMade(c.Data, existed)
		}
	}()
	r := &restoring{c: c}
	if err := r.files(); err != nil {
		return out, err
	}
	if err := r.database(ctx); err != nil {
		return out, err
	}
	return r.finish(ctx)
}

// restoring is one restore.
type restoring struct {
	c        RestoreConfig
	head     keyFile
	records  purser.Hash // of the file
	settings settings
	rows     ledger.Head // of the backup
	end      ledger.Head // of the ledger behind it
	gone     map[purser.Ordinal]purser.FieldMask
	lost     []LostRows
}

// files puts the database and the keyset into place.
func (r *restoring) files() error {
	head, err := keyFileAt(r.c.Keys)
	if err != nil {
		return err
	}
	r.head = head
	if err := os.MkdirAll(r.c.Data, 0o700); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	database := filepath.Join(r.c.Data, sqlite.FileName)
	if err := errors.Join(copyFile(r.c.Records, database), copyFile(r.c.Keyset, keysetPath(r.c.Data))); err != nil {
		return fmt.Errorf("copy the backup: %w", err)
	}
	r.records, err = hashOf(database)
	return err
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// database puts the wrapped keys back and the later entries behind those of the
// backup.
func (r *restoring) database(ctx context.Context) (err error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Dir: r.c.Data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if r.settings, err = (&Deployment{db: db}).settings(ctx); err != nil {
		return err
	}
	keys, err := seal.Open(seal.Options{
		Path: keysetPath(r.c.Data), Deployment: r.settings.deployment, Key: r.settings.key,
		Passphrase: r.c.Passphrase, Master: r.c.Master,
	})
	if err != nil {
		return err
	}
	if err := r.wrapped(ctx, db, keys); err != nil {
		return err
	}
	// The walks of rotations begin anew: the backup's rows are as they were.
	for _, use := range keyUses() {
		if err := db.PutWalk(ctx, record.Walk{Use: use}); err != nil {
			return err
		}
	}
	if r.rows, err = db.Head(ctx); err != nil {
		return err
	}
	if r.rows.Size != r.head.size {
		return fmt.Errorf("%w: the database holds another number of entries than the file of wrapped keys says", ErrOtherBackup)
	}
	if r.end = r.rows; r.c.Lost {
		return r.newOrigin(ctx, db, keys)
	}
	return r.later(ctx, db)
}

// wrapped puts the data keys back, all of which the keyset must open.
func (r *restoring) wrapped(ctx context.Context, db *sqlite.DB, keys *seal.Keys) (err error) {
	f, err := os.Open(r.c.Keys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	from := bufio.NewReaderSize(f, 1<<20)
	head, err := readKeyFile(from)
	if err != nil {
		return err
	}
	if head.deployment != r.settings.deployment || head.keyset != r.settings.key {
		return fmt.Errorf("%w: the file of wrapped keys is of keyset %v", ErrOtherBackup, head.keyset)
	}
	known := keys.Numbers(purser.KeyWrap)
	of, err := keys.ReadKeys(from, head.name(), func(rows map[purser.Ordinal][]byte) error {
		for o, wrapped := range rows {
			if under, ok := seal.UnderKey(wrapped); !ok || !slices.Contains(known, under) {
				return &seal.KeysetError{
					Path: r.c.Keyset, Key: head.keyset.String(),
					Cause:  fmt.Errorf("%w: wrap key %s, under which customer %d is", seal.ErrKeyMissing, purser.KeyNumber(under), o),
					WayOut: "give a copy of the keyset that holds it",
				}
			}
		}
		return db.PutDataKeys(ctx, rows)
	})
	if err == nil && of != r.records {
		err = fmt.Errorf("%w: the wrapped keys are of another file of records", ErrOtherBackup)
	}
	return err
}

// later checks the export against its key, and that it continues the backup; then
// it appends the entries behind it as they are.
func (r *restoring) later(ctx context.Context, db *sqlite.DB) error {
	verifier, err := note.NewVerifier(r.settings.verifier)
	if err != nil {
		return ErrVerifierKey
	}
	a := &appending{ctx: ctx, db: db, restoring: r}
	report, err := proof.VerifyFolder(ctx, os.DirFS(r.c.Ledger), verifier, proof.Options{Each: a.take, Progress: r.c.Tell})
	if err != nil {
		return fmt.Errorf("the later ledger: %w", err)
	}
	if report.Size < r.rows.Size {
		return fmt.Errorf("%w: the ledger in %s ends before the backup", ErrOtherBackup, r.c.Ledger)
	}
	if err := a.flush(); err != nil {
		return err
	}
	if r.end.Root != report.Root {
		return fmt.Errorf("%w: the entries do not give the root of the ledger", ErrOtherBackup)
	}
	checkpoint, err := os.ReadFile(filepath.Join(r.c.Ledger, proof.CheckpointPath))
	if err != nil {
		return fmt.Errorf("read the later ledger's checkpoint: %w", err)
	}
	return db.PutCheckpoint(ctx, report.Size, checkpoint)
}

// appending takes the entries of an export one by one.
type appending struct {
	*restoring
	ctx  context.Context
	db   *sqlite.DB
	tree proof.Frontier
	wait [][]byte
}

func (a *appending) take(h purser.Header, e purser.Entry) error {
	b, err := purser.AppendEntry(nil, h.Pos, h.Stamp, e)
	if err != nil {
		return err
	}
	a.tree.Append(proof.LeafHash(b))
	if size := a.tree.Size(); size < a.rows.Size {
		return nil
	} else if size == a.rows.Size {
		if a.tree != a.rows.Frontier {
			return fmt.Errorf("%w: the ledger is not the one that the backup was made of", ErrOtherBackup)
		}
		return nil
	}
	a.note(h, e)
	if a.wait = append(a.wait, b); len(a.wait) < 1024 {
		return nil
	}
	return a.flush()
}

func (a *appending) flush() error {
	if len(a.wait) == 0 {
		return nil
	}
	after := ledger.Head{Size: a.tree.Size(), Root: a.tree.Root(), Frontier: a.tree}
	if err := a.db.Append(a.ctx, &ledger.Batch{Before: a.end, After: after, Entries: a.wait}); err != nil {
		return fmt.Errorf("append the later entries: %w", err)
	}
	a.end, a.wait = after, nil
	return nil
}

// note keeps what an entry after the backup means for rows.
func (r *restoring) note(h purser.Header, e purser.Entry) {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		return
	}
	if gone, ok := e.(*purser.Expired); ok {
		for _, o := range gone.Customers {
			if r.gone == nil {
				r.gone = make(map[purser.Ordinal]purser.FieldMask)
			}
			r.gone[o] |= gone.Fields
		}
	}
	what := rowsOf(e)
	if what == "" {
		return
	}
	i := slices.IndexFunc(r.lost, func(l LostRows) bool { return l.What == what })
	if i < 0 {
		i = len(r.lost)
		r.lost = append(r.lost, LostRows{What: what, First: h.Pos})
	}
	r.lost[i].Entries++
}

// rowsOf says in words which rows beside an entry a backup from before it does
// not have; empty for none.
func rowsOf(e purser.Entry) string {
	switch e.(type) {
	case *purser.Import, *purser.Merged, *purser.ImportClosed:
		return "customers who were imported: import the files again"
	case *purser.Amend:
		return "fields that were amended: they are as they were before"
	case *purser.CaseOpened, *purser.CaseChanged, *purser.NoteAdded:
		return "cases and notes"
	case *purser.VendorSet, *purser.TeamSet, *purser.PersonSet:
		return "names of vendors, teams and people"
	case *purser.AuthenticatorSet:
		return "passkeys: who enrolled one must do so again"
	case *purser.SourceSet, *purser.ChangeProposed:
		return "secrets of sources, texts of changes"
	case *purser.Configuration:
		return "schemas and policies"
	case *purser.HoldPlaced:
		return "words of legal holds"
	case *purser.MandateAsked, *purser.Holdings:
		return "sealed orders and statements"
	}
	return ""
}

// newOrigin has a ledger whose later part is lost sign under another name and
// key: what was signed after the backup is of the ledger that was.
func (r *restoring) newOrigin(ctx context.Context, db *sqlite.DB, keys *seal.Keys) error {
	origin := fmt.Sprintf("%s/restored-%d", r.settings.origin, uint64(r.rows.Size))
	noteKey, verifier, err := newSigner(keys, r.c.Random, origin)
	if err != nil {
		return err
	}
	return db.NewOrigin(ctx, map[string][]byte{
		settingOrigin: []byte(origin), settingNoteKey: noteKey, settingVerifier: []byte(verifier),
	})
}

// finish opens what was made, and writes the entry that tells of it together
// with every erasure and expiry that the backup does not know.
func (r *restoring) finish(ctx context.Context) (out Restored, err error) {
	r.c.restoring = true
	d, err := Open(ctx, r.c.Config)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	e := &purser.Restored{Backup: r.records, Rows: r.rows.Size, Size: r.end.Size}
	erased, err := d.eraseAgain(ctx, e, r.gone)
	if err != nil {
		return out, err
	}
	return Restored{
		Rows: r.rows.Size, Size: r.end.Size, Erased: erased, Expired: len(r.gone), Lost: r.lost, Verifier: d.verifier,
	}, nil
}

// eraseAgain writes an entry that tells of a restore, and in its transaction
// destroys again who was erased and is there, and drops again what ran out.
func (d *Deployment) eraseAgain(ctx context.Context, e *purser.Restored, expired map[purser.Ordinal]purser.FieldMask) (int, error) {
	there, err := d.erasedAndThere(ctx)
	if err != nil {
		return 0, err
	}
	e.Erased = uint32(len(there))
	var at purser.Stamp
	_, err = d.log.ProposeRows(ctx, purser.VendorID{},
		func(_ *fold.State, now purser.Stamp) purser.Entry { at = now; return e },
		func(tx ledger.Tx, pos purser.Pos, _ purser.Entry) error {
			for _, o := range there {
				if err := d.Records.EraseAgain(tx, o); err != nil {
					return err
				}
			}
			for o, fields := range expired {
				w := record.Writing{Customer: o, At: at, Set: make(map[purser.Field]string), Final: true}
				for _, f := range fields.Fields() {
					w.Set[f] = ""
				}
				if _, err := d.Records.Write(tx, pos, w); err != nil {
					return err
				}
			}
			return nil
		})
	if err != nil {
		return 0, fmt.Errorf("apply the erasures of the ledger: %w", err)
	}
	return len(there), nil
}

// erasedAndThere returns customers whom the ledger says are erased and whose
// records are there: somebody put an older copy of them back.
func (d *Deployment) erasedAndThere(ctx context.Context) ([]purser.Ordinal, error) {
	var gone []purser.Ordinal
	err := d.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error { gone = s.Keeping().Gone(); return nil })
	if err != nil {
		return nil, fmt.Errorf("look who was erased: %w", err)
	}
	return d.db.Present(ctx, gone)
}

// keepErased destroys again whoever is erased in the ledger and has a record:
// somebody put an older file of records in place. It tells of it by an entry.
func (d *Deployment) keepErased(ctx context.Context) error {
	if d.cfg.restoring {
		return nil
	}
	there, err := d.erasedAndThere(ctx)
	if err != nil || len(there) == 0 {
		return err
	}
	d.cfg.Logger.Error("customers who were erased had records, and are erased again", "customers", len(there))
	_, err = d.eraseAgain(ctx, &purser.Restored{Rows: d.log.Size(), Size: d.log.Size()}, nil)
	return err
}
