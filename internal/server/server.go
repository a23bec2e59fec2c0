// Package server owns the wiring: it puts the packages below together into a
// deployment, starts and stops them in the right order, and runs what must
// happen by itself, such as enacting changes whose hold has run out.
//
// It owns no rule and no format. Whoever wants to use a data directory without
// serving it (init, import, export, seal) opens a [Deployment]; [Serve] adds
// the doors.
//
// Laws carried here: L2 (the configuration in force is the one whose hash the
// ledger names, or the start fails) and L6 (core dumps are off).
//
// Start reading at [Open].
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/change"
	"purser/internal/deliver"
	"purser/internal/edge/httpapi"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/retention"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
	"purser/internal/telephony"
	"purser/internal/verification"
	"purser/internal/workforce"
)

// Clock is the one clock of a deployment: stamps, ticks and windows follow it.
type Clock interface {
	Wall() time.Time
	Mono() time.Duration
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Config says what a deployment is opened with. Data, Clock, Random and
// Logger are required.
type Config struct {
	Data       string
	Passphrase []byte // nil: the keyset file is not encrypted by one
	// Ask gives the passphrase again when the keyset file is written, and the
	// caller of Ask clears it. Nil means that Passphrase stays as it is.
	Ask func() ([]byte, error)
	// Master is the key-management service that encrypts the keyset file; nil
	// for none.
	Master   seal.Master
	Software string // version, for the start entry
	// RP names the relying party of passkeys.
	RP workforce.RP
	// Company is the name that code mails give.
	Company string
	// Region completes phone numbers without a country code.
	Region string
	// Mail takes code mails. Nil: no code can be sent.
	Mail   *deliver.MailConfig
	Clock  Clock
	Random io.Reader
	Logger *slog.Logger
	// Labelled allows a directory with a demo or scratch label. Without it such
	// a directory is refused, so that nobody serves one by mistake.
	Labelled bool
	// Progress is told how far a replay at start is; may be nil.
	Progress func(done, total purser.Pos)
	// SnapshotEvery is the ledger's; zero means its default.
	SnapshotEvery purser.Pos
	// restoring leaves what was erased meanwhile to the entry of the restore.
	restoring bool
}

// ErrLabelled says that a directory is a demo or scratch one.
var ErrLabelled = errors.New("this is a demo or scratch directory; make a real one with purser init")

// Deployment is an open data directory with everything wired to it.
type Deployment struct {
	cfg    Config
	db     *sqlite.DB
	log    *ledger.Log[*fold.State]
	signer note.Signer
	// verifier is the text form of the key that checks checkpoints.
	verifier string
	origin   string
	troubles atomic.Uint64 // told by the ledger since the start

	Keys         *seal.Keys
	Records      *record.Book
	People       *workforce.Workforce
	Changes      *change.Register
	Gate         *gate.Gate
	Verification *verification.Verification
	Retention    *retention.Retention
	Intake       *telephony.Intake
	Sources      httpapi.Sources
}

// Open opens the directory c.Data. The caller closes the deployment.
func Open(ctx context.Context, c Config) (*Deployment, error) {
	noCoreDumps()
	db, err := sqlite.Open(ctx, sqlite.Config{Dir: c.Data})
	if err != nil {
		return nil, openError(err)
	}
	d := &Deployment{cfg: c, db: db}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(openError(err), d.Close())
	}
	return d, nil
}

// openError adds the way out to what an operator can mend.
func openError(err error) error {
	switch {
	case errors.Is(err, sqlite.ErrNoDatabase):
		return fmt.Errorf("%w; check the path, or make a new directory with purser init", err)
	case errors.Is(err, ledger.ErrCorrupt):
		return fmt.Errorf("%w; nothing was changed: keep the directory, restore a backup elsewhere, and compare exports with purser verify", err)
	}
	return err
}

func (d *Deployment) open(ctx context.Context) error {
	settings, err := d.settings(ctx)
	if err != nil {
		return err
	}
	if settings.labelled && !d.cfg.Labelled {
		return ErrLabelled
	}
	d.Keys, err = seal.Open(seal.Options{
		Path: keysetPath(d.cfg.Data), Deployment: settings.deployment, Key: settings.key,
		Passphrase: d.cfg.Passphrase, Master: d.cfg.Master,
	})
	if err != nil {
		return err
	}
	var verifier note.Verifier
	if d.signer, verifier, err = openSigner(d.Keys, settings); err != nil {
		return err
	}
	d.verifier, d.origin = settings.verifier, settings.origin
	d.log, err = ledger.Open(ctx, ledger.Config[*fold.State]{
		Store: d.db, New: fold.New, Clock: d.cfg.Clock, Software: d.cfg.Software, FoldVersion: fold.Version,
		SnapshotEvery: d.cfg.SnapshotEvery, Signer: d.signer, Origin: settings.origin, Verifier: verifier,
		Progress: d.cfg.Progress, Trouble: d.trouble,
	})
	if err != nil {
		return err
	}
	if err := d.wire(ctx); err != nil {
		return err
	}
	return d.keepErased(ctx)
}

// trouble logs and counts what the ledger can do without.
func (d *Deployment) trouble(err error) {
	d.troubles.Add(1)
	d.cfg.Logger.Error("the ledger goes on without something", "fault", err)
}

// Close stops what runs and closes the directory. A half-opened deployment
// may be closed.
func (d *Deployment) Close() error {
	var errs []error
	if d.Verification != nil {
		errs = append(errs, d.Verification.Close())
	}
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	return errors.Join(append(errs, d.db.Close())...)
}

// Verifier returns the key that checks this deployment's checkpoints, in the
// text form of signed notes.
func (d *Deployment) Verifier() string { return d.verifier }

// Ledger returns the ledger itself, for measurements that write what no gate
// decided.
func (d *Deployment) Ledger() *ledger.Log[*fold.State] { return d.log }

// Status is what may be said of a ledger to anybody who works here.
type Status struct {
	Size       purser.Pos  `json:"size"`
	Root       purser.Hash `json:"-"`
	Checkpoint purser.Pos  `json:"checkpoint"`
	Stopped    error       `json:"-"`
	Full       bool        `json:"-"` // the disk is: the last batch was not written
}

// Status returns where the ledger is.
func (d *Deployment) Status() Status {
	_, signed := d.log.Checkpoint()
	return Status{Size: d.log.Size(), Root: d.log.Root(), Checkpoint: signed, Stopped: d.log.Err(), Full: d.log.Full()}
}
