package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"purser"
	"purser/internal/edge/httpapi"
	"purser/internal/edge/web"
	"purser/internal/fold"
	"purser/internal/record"
	"purser/internal/seal"
)

// How many customers one turn of a rotation changes over: beside people who
// wait for an answer, and where nobody does. A turn of a served deployment takes
// some 10 ms of every 100, most of it beside the ledger's writer.
const (
	rotateServed  = 200
	rotateOffline = 2000
)

// Master is a key of a key-management service.
type Master = seal.Master

// KeyReport is what may be said of a keyset.
type KeyReport = httpapi.KeyReport

// keyUses are the uses of keys that rotate.
func keyUses() []purser.KeyUse { return []purser.KeyUse{purser.KeyWrap, purser.KeyIndex} }

// takeKeys takes those keys into use that the ledger names, and takes out of the
// keyset file what it says is destroyed.
func (d *Deployment) takeKeys(ctx context.Context) error {
	if err := d.Records.Force(ctx, d.log); err != nil {
		return err
	}
	return d.withKeyset(func(file seal.Options) error { return d.Records.DropDestroyed(ctx, d.log, file) })
}

// withKeyset runs f with what opens the keyset file.
func (d *Deployment) withKeyset(f func(seal.Options) error) error {
	file := seal.Options{Passphrase: d.cfg.Passphrase, Master: d.cfg.Master}
	if d.cfg.Ask != nil {
		passphrase, err := d.cfg.Ask()
		if err != nil {
			return err
		}
		defer clear(passphrase)
		file.Passphrase = passphrase
	}
	return f(file)
}

// KeyReport reports the keys that rotate, and how far a rotation is.
func (d *Deployment) KeyReport(ctx context.Context) (KeyReport, error) {
	report := KeyReport{Keyset: d.Keys.ID().String()}
	for _, use := range keyUses() {
		one, err := d.useReport(ctx, use)
		if err != nil {
			return report, err
		}
		report.Uses = append(report.Uses, one)
	}
	return report, nil
}

func (d *Deployment) useReport(ctx context.Context, use purser.KeyUse) (httpapi.UseReport, error) {
	var keys fold.Keys
	err := d.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error { keys = s.Standing().Keys(use); return nil })
	if err != nil {
		return httpapi.UseReport{}, fmt.Errorf("look for the keys: %w", err)
	}
	walk, err := d.Records.Rotated(ctx, d.log, use)
	if err != nil {
		return httpapi.UseReport{}, err
	}
	now, _ := d.Keys.InForce(use)
	one := httpapi.UseReport{
		Use: use.String(), Now: purser.KeyNumber(now), Leaving: keyNumbers(keys.Leaving), Idle: []httpapi.IdleKey{},
		Rotating: walk.Going, Done: walk.Done, Of: walk.Of, Changed: walk.Changed,
	}
	for _, idle := range keys.Idle {
		one.Idle = append(one.Idle, httpapi.IdleKey{Number: purser.KeyNumber(idle.Number), Until: (idle.Since + record.KeysKept).Time()})
	}
	one.Strangers = keyNumbers(slices.DeleteFunc(d.Keys.Numbers(use), func(n uint32) bool {
		return n == now || slices.Contains(keys.Known(), n)
	}))
	return one, nil
}

func keyNumbers(list []uint32) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, purser.KeyNumber(n))
	}
	return out
}

// RotateKey takes another key into use. What is under the one before is changed
// over by the background work of a served deployment, or by FinishRotation.
func (d *Deployment) RotateKey(ctx context.Context, use purser.KeyUse) error {
	return d.withKeyset(func(file seal.Options) error { return d.Records.Rotate(ctx, d.log, file, use) })
}

// DestroyKey takes a key out of the keyset under which nothing is left.
func (d *Deployment) DestroyKey(ctx context.Context, use purser.KeyUse, number uint32) error {
	return d.withKeyset(func(file seal.Options) error { return d.Records.Destroy(ctx, d.log, file, use, number) })
}

// ErrRotating says that a rotation is under way.
var ErrRotating = record.ErrRotating

// Protection is what encrypts a keyset file: one of the two.
type Protection struct {
	Passphrase []byte
	Master     Master
}

// ProtectKeyset encrypts the keyset file anew, as to says.
func (d *Deployment) ProtectKeyset(to Protection) error {
	return d.withKeyset(func(file seal.Options) error {
		return d.Keys.Protect(file, seal.Options{Passphrase: to.Passphrase, Master: to.Master})
	})
}

// FinishRotation changes everything over that is still under older keys of a
// use. Progress is told how many customers this walk has looked at.
func (d *Deployment) FinishRotation(ctx context.Context, use purser.KeyUse, progress func(done, total int64)) (changed uint64, err error) {
	for {
		r, err := d.Records.Rotation(ctx, d.log, use, rotateOffline)
		if err != nil {
			return r.Changed, err
		}
		progress(int64(r.Done), int64(r.Of))
		if !r.Going {
			return r.Changed, nil
		}
	}
}

// TurnKeys is one turn of the rotations that go on, and reports whether there is
// more to do.
func (d *Deployment) TurnKeys(ctx context.Context) (going bool, err error) {
	for _, use := range keyUses() {
		r, err := d.Records.Rotation(ctx, d.log, use, rotateServed)
		if errors.Is(err, record.ErrImporting) {
			continue // the next turn comes after it
		}
		if err != nil {
			return going, err
		}
		going = going || r.Going
	}
	return going, nil
}

// atDoor is what the operator's door shows of a deployment's keys: whoever is
// there owns the machine, and is told what stands in the way.
type atDoor struct{ *Deployment }

// Keys implements httpapi.Keeper.
func (d atDoor) Keys(ctx context.Context) (KeyReport, error) { return d.KeyReport(ctx) }

// RotateKey implements httpapi.Keeper.
func (d atDoor) RotateKey(ctx context.Context, use purser.KeyUse) error {
	return told(d.Deployment.RotateKey(ctx, use))
}

// DestroyKey implements httpapi.Keeper.
func (d atDoor) DestroyKey(ctx context.Context, use purser.KeyUse, number uint32) error {
	return told(d.Deployment.DestroyKey(ctx, use, number))
}

// told puts into words what an operator can mend.
func told(err error) error {
	var file *seal.KeysetError
	if errors.As(err, &file) || errors.Is(err, record.ErrRotating) || errors.Is(err, record.ErrImporting) {
		return web.Invalid(http.StatusConflict, web.Detail{Where: "keys", What: err.Error()})
	}
	return err
}
