package httpapi

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"purser"
	"purser/internal/edge/web"
)

// Keeper looks after the keyset, backups too, for the operator on the host.
type Keeper interface {
	// Keys reports the keys that rotate, and how far a rotation is.
	Keys(ctx context.Context) (KeyReport, error)
	// RotateKey takes another key into use.
	RotateKey(ctx context.Context, use purser.KeyUse) error
	// DestroyKey takes one out of the keyset under which nothing is left.
	DestroyKey(ctx context.Context, use purser.KeyUse, number uint32) error
	// RecordBackup writes the entry of a backup, by the hashes of its files.
	RecordBackup(ctx context.Context, records, keys purser.Hash) error
}

// KeyReport is what may be said of a keyset.
type KeyReport struct {
	Keyset string      `json:"keyset"`
	Uses   []UseReport `json:"uses"`
}

// UseReport says which keys of one use there are. Numbers are of eight
// hexadecimal digits.
type UseReport struct {
	Use       string    `json:"use" enum:"wrap,index"`
	Now       string    `json:"now" doc:"new work uses it"`
	Leaving   []string  `json:"leaving" doc:"something may still be under these"`
	Idle      []IdleKey `json:"idle" doc:"nothing is left under these"`
	Strangers []string  `json:"strangers" doc:"in the file, and no entry names them"`
	Rotating  bool      `json:"rotating"`
	Done      uint64    `json:"done" doc:"customers that the walk has looked at"`
	Of        uint64    `json:"of"`
	Changed   uint64    `json:"changed"`
}

// IdleKey is a key that may be destroyed from a time on.
type IdleKey struct {
	Number string    `json:"number"`
	Until  time.Time `json:"until" doc:"from then on it may be destroyed"`
}

type noInput struct{}

type keysOutput struct{ Body KeyReport }

func (d *door) keys(ctx context.Context, _ *noInput) (*keysOutput, error) {
	report, err := d.c.Keeper.Keys(ctx)
	if err != nil {
		return nil, err
	}
	return &keysOutput{report}, nil
}

type rotateInput struct {
	Body struct {
		Use string `json:"use" enum:"wrap,index"`
	}
}

// useOf reads the name of a use; the schema has refused others.
func useOf(name string) purser.KeyUse {
	if name == purser.KeyIndex.String() {
		return purser.KeyIndex
	}
	return purser.KeyWrap
}

func (d *door) rotate(ctx context.Context, in *rotateInput) (*doneOutput, error) {
	return done(d.c.Keeper.RotateKey(ctx, useOf(in.Body.Use)))
}

type destroyInput struct {
	Body struct {
		Use    string `json:"use" enum:"wrap,index"`
		Number string `json:"number" pattern:"^[0-9a-f]{8}$"`
	}
}

func (d *door) destroy(ctx context.Context, in *destroyInput) (*doneOutput, error) {
	number, err := purser.ParseKeyNumber(in.Body.Number)
	if err != nil {
		return nil, web.Invalid(http.StatusUnprocessableEntity, web.Detail{Where: "number", What: err.Error()})
	}
	return done(d.c.Keeper.DestroyKey(ctx, useOf(in.Body.Use), number))
}

type backupInput struct {
	Body struct {
		Records string `json:"records" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the file of records"`
		Keys    string `json:"keys" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the file of wrapped keys"`
	}
}

func (d *door) backup(ctx context.Context, in *backupInput) (*doneOutput, error) {
	var hashes [2]purser.Hash
	for i, text := range []string{in.Body.Records, in.Body.Keys} {
		if _, err := hex.Decode(hashes[i][:], []byte(text)); err != nil {
			return nil, web.Invalid(http.StatusUnprocessableEntity, web.Detail{Where: "backup", What: "is no hash"})
		}
	}
	return done(d.c.Keeper.RecordBackup(ctx, hashes[0], hashes[1]))
}
