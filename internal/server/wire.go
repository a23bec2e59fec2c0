package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"purser"
	"purser/internal/change"
	"purser/internal/deliver"
	"purser/internal/edge/httpapi"
	"purser/internal/gate"
	"purser/internal/record"
	"purser/internal/retention"
	"purser/internal/seal"
	"purser/internal/telephony"
	"purser/internal/verification"
	"purser/internal/workforce"
)

// wire puts the packages together over an open ledger.
func (d *Deployment) wire(ctx context.Context) error {
	schema, sets, err := d.inForce(ctx)
	if err != nil {
		return err
	}
	d.Records = record.New(d.db, d.Keys, schema)
	if err := d.takeKeys(ctx); err != nil {
		return err
	}
	d.Changes = change.New(d.log, notices{d.cfg.Logger}, d.cfg.Random)
	if d.People, err = workforce.New(workforce.Config{
		Log: d.log, Keys: d.Keys, Store: d.db, RP: d.cfg.RP, Clock: d.clock(), Random: d.cfg.Random,
	}); err != nil {
		return err
	}
	if d.Gate, err = gate.New(gate.Config{
		Log: d.log, Records: d.Records, Keys: d.Keys, Policies: sets, Now: d.log.Now, Random: d.cfg.Random,
	}); err != nil {
		return err
	}
	if d.Retention, err = retention.New(retention.Config{Log: d.log, Gate: d.Gate, Records: d.Records}); err != nil {
		return err
	}
	if err := d.wireMail(schema); err != nil {
		return err
	}
	d.Sources = sources{d}
	d.Intake, err = telephony.NewIntake(telephony.Config{
		Log: d.log, Sources: d.db, Vault: vault{d.Keys}, Tagger: d.Keys, Now: d.log.Now, Region: d.cfg.Region,
		Keyed: d.followKeyed,
	})
	return err
}

func (d *Deployment) wireMail(schema *record.Schema) error {
	var mail verification.Mailer = noMail{}
	if d.cfg.Mail != nil {
		sender, err := deliver.NewMail(*d.cfg.Mail)
		if err != nil {
			return fmt.Errorf("configure mail: %w", err)
		}
		mail = sender
	}
	v, err := verification.New(verification.Config{
		Log: d.log, Entries: d.db, Gate: d.Gate, Schema: schema, Customers: d.Records, Mail: mail, Region: d.cfg.Region, Company: d.cfg.Company,
		Fault: func(err error) { d.cfg.Logger.Error("code mail", "fault", err) },
	})
	d.Verification = v
	return err
}

// errNoMail is the fault of a code that cannot be sent for want of a mail
// server in the configuration.
var errNoMail = errors.New("no mail server is configured; set mail in purser.yaml")

// noMail stands where no mail server is configured.
type noMail struct{}

// Send fails.
func (noMail) Send(context.Context, deliver.Message) error { return errNoMail }

// followKeyed tries keyed digits soon after they came. What is missed here is
// found by the background work, since the fold remembers it.
func (d *Deployment) followKeyed(ctx context.Context, c purser.ContactID) {
	if err := d.Verification.Follow(ctx, c); err != nil {
		d.cfg.Logger.Error("follow a keyed code up", "fault", err)
	}
}

// sourceSecret says what is sealed in a row of a source.
const sourceSecret seal.NoteKind = "telephony source secret"

// vault seals the salts and secrets of sources.
type vault struct{ keys *seal.Keys }

// Seal seals what is secret for a row of its source.
func (v vault) Seal(id purser.SourceID, plain []byte) ([]byte, error) {
	return v.keys.SealNote(sourceSecret, id[:], plain)
}

// Open opens what Seal sealed for the same source.
func (v vault) Open(id purser.SourceID, sealed []byte) ([]byte, error) {
	return v.keys.OpenNote(sourceSecret, id[:], sealed)
}

// sources makes sources for the doors.
type sources struct{ d *Deployment }

// NewSource draws a source with its secret; nothing is stored before the
// change that registers it.
func (s sources) NewSource(e purser.SourceSet, name string) (httpapi.NewSource, error) {
	entry, row, secret, err := telephony.NewSource(s.d.cfg.Random, vault{s.d.Keys}, s.d.Keys, e, name)
	if err != nil {
		return httpapi.NewSource{}, err
	}
	return httpapi.NewSource{Entry: entry, Secret: secret, Rows: s.d.sourceRows(row)}, nil
}

// Renew draws another secret for a source, with the salt, vendor and name that
// it has had from its registration on.
func (s sources) Renew(ctx context.Context, source purser.SourceID) (httpapi.NewSource, error) {
	rows, err := s.d.db.SecretsOf(ctx, source)
	if err != nil {
		return httpapi.NewSource{}, fmt.Errorf("rows of %v: %w", source, err)
	}
	if len(rows) == 0 {
		return httpapi.NewSource{Entry: &purser.SourceSet{Source: source}}, nil
	}
	salt, err := telephony.SaltOf(ctx, s.d.db, vault{s.d.Keys}, source)
	if err != nil {
		return httpapi.NewSource{}, err
	}
	e := purser.SourceSet{Source: source, Vendor: rows[0].Vendor, Status: purser.StatusActive}
	entry, row, secret, err := telephony.NewSecret(s.d.cfg.Random, vault{s.d.Keys}, s.d.Keys, e, rows[0].Name, salt)
	if err != nil {
		return httpapi.NewSource{}, err
	}
	return httpapi.NewSource{Entry: entry, Secret: secret, Rows: s.d.sourceRows(row)}, nil
}

// MapAgent keys the agent id with the salt of its source. A source that does
// not exist has one that is drawn and forgotten: the change is refused for it,
// and what it records cannot be traced to the id.
func (s sources) MapAgent(ctx context.Context, source purser.SourceID, agent string, person purser.PersonID) (*purser.AgentMapped, error) {
	salt, err := telephony.SaltOf(ctx, s.d.db, vault{s.d.Keys}, source)
	if errors.Is(err, telephony.ErrNoSource) {
		salt, err = telephony.NewSalt(s.d.cfg.Random)
	}
	if err != nil {
		return nil, err
	}
	return telephony.MapAgent(source, salt, agent, person, purser.Actor{}), nil
}

func (d *Deployment) sourceRows(row telephony.SourceRow) change.Rows {
	return func(tx ledgerTx, _ purser.Pos) error { return d.db.PutSource(tx, row) }
}

// words are the schema's names for the edge.
type words struct{ schema *record.Schema }

// maskedSuffix asks for the masked form of a field.
const maskedSuffix = ":masked"

// Bit returns the field bit of a name, or of NAME:masked.
func (w words) Bit(name string) (purser.Field, bool) {
	plain, masked := strings.CutSuffix(name, maskedSuffix)
	f, ok := w.schema.Field(plain)
	if !ok {
		return 0, false
	}
	if !masked {
		return f.Bit, true
	}
	return f.Mask.Bit, f.Mask.How != 0
}

// Purpose returns the number of a purpose.
func (w words) Purpose(name string) (purser.Purpose, bool) { return w.schema.Purpose(name) }

// Topic returns the number of a topic.
func (w words) Topic(name string) (purser.Topic, bool) { return w.schema.Topic(name) }

// Topics returns the names of the topics; the first has number 1.
func (w words) Topics() []string { return w.schema.Topics() }

// notices tells security of changes. Until notices by mail exist the log of
// the process is where they are read; the entries are the record.
type notices struct{ logger *slog.Logger }

// Notify logs the change, at a level that an operator alerts on.
func (n notices) Notify(ctx context.Context, c change.Notice) {
	n.logger.LogAttrs(ctx, slog.LevelWarn, "a change awaits security's eyes",
		slog.String("change", c.Change.String()), slog.Int("kind", int(c.What)), slog.Int("security", len(c.Security)))
}
