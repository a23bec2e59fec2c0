package workforce

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
)

// Login says how somebody wants to log in.
type Login struct {
	Page  PageKey
	Level purser.Level
	// Person is zero for a passkey that finds its person by itself. Who it is
	// and whether he exists makes no difference to what is answered.
	Person purser.PersonID
}

// BeginLogin starts a login from the page with the given key.
func (w *Workforce) BeginLogin(ctx context.Context, l Login) (Begun, error) {
	if l.Level != purser.LevelDesk && l.Level != purser.LevelOffice {
		return Begun{}, ErrNotProved
	}
	c, nonce, err := w.begin(actLogin, l.Page)
	if err != nil {
		return Begun{}, err
	}
	c.level, c.person = l.Level, l.Person
	var offered []protocol.CredentialDescriptor
	if !l.Person.Zero() {
		if offered, err = w.offer(ctx, l.Person); err != nil {
			return Begun{}, err
		}
	}
	return w.assert(c, nonce, offered)
}

// assert asks the page for an assertion by one of the offered passkeys, or by
// any if there is none.
func (w *Workforce) assert(c *ceremony, nonce Nonce, offered []protocol.CredentialDescriptor) (Begun, error) {
	options, _, err := w.assertion(c, offered)
	if err != nil {
		return Begun{}, err
	}
	return w.begun(c, nonce, options)
}

// assertion returns what the page is asked and what its response is checked
// against. Of the latter nothing depends on what was offered, which may hold
// made-up passkeys; whose the used one is gets checked against its own row.
func (w *Workforce) assertion(c *ceremony, offered []protocol.CredentialDescriptor) (*protocol.CredentialAssertion, webauthn.SessionData, error) {
	options, data, err := w.auth.BeginDiscoverableLogin(
		webauthn.WithChallenge(c.challenge[:]), webauthn.WithAllowedCredentials(offered))
	if err != nil {
		return nil, webauthn.SessionData{}, fmt.Errorf("prepare passkey options: %w", err)
	}
	data.AllowedCredentialIDs, data.UserID = nil, nil
	return options, *data, nil
}

// madeUpLengths are credential lengths that real authenticators use.
var madeUpLengths = [...]int{16, 20, 32, 32, 32, 48, 64, 64}

// offer lists a person's passkeys, filled up to MostAuthenticators with ones
// that nobody has. They are the same each time, so an unknown person and one
// without passkeys look like any other.
func (w *Workforce) offer(ctx context.Context, person purser.PersonID) ([]protocol.CredentialDescriptor, error) {
	keys, err := w.passkeys(ctx, person)
	if err != nil {
		return nil, err
	}
	offered := make([]protocol.CredentialDescriptor, 0, MostAuthenticators)
	for _, k := range keys {
		offered = append(offered, protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: k.ID})
	}
	for i := len(offered); i < MostAuthenticators; i++ {
		offered = append(offered, protocol.CredentialDescriptor{
			Type: protocol.PublicKeyCredentialType, CredentialID: w.madeUp(person, byte(i)),
		})
	}
	slices.SortFunc(offered, func(a, b protocol.CredentialDescriptor) int {
		return slices.Compare(a.CredentialID, b.CredentialID)
	})
	return offered, nil
}

// madeUp is the i-th passkey that nobody has.
func (w *Workforce) madeUp(person purser.PersonID, i byte) []byte {
	var id []byte
	for part := range byte(5) {
		m := w.keys.Commit("made-up passkey", person[:], []byte{i, part})
		id = append(id, m[:]...)
	}
	return id[1 : 1+madeUpLengths[int(id[0])%len(madeUpLengths)]]
}

// Opened is what the page is given of its new session. The request key is not
// among it: the page computes it from ServerKey, its own key and the challenge.
type Opened struct {
	Session   purser.SessionID
	Token     Token
	ServerKey PageKey // the server's half of the key agreement
	Who       purser.Actor
	Level     purser.Level
	Expires   purser.Stamp
	Now       purser.Stamp // for the page to correct its clock
	At        purser.Pos
}

// FinishLogin checks the passkey's assertion and opens a session. An assertion
// made for another page's key, by an unknown passkey, without user
// verification or with a sign count that went back is [ErrNotProved]; the last
// is a finding too. Somebody who may not log in is refused, with an entry.
func (w *Workforce) FinishLogin(ctx context.Context, id CeremonyID, response []byte) (Opened, error) {
	c, err := w.ceremonies.open(id, actLogin, w.since())
	if err != nil {
		return Opened{}, err
	}
	proved, err := w.proved(ctx, c, response)
	if err != nil {
		return Opened{}, err
	}
	if !c.person.Zero() && c.person != proved.row.Person {
		return Opened{}, ErrNotProved
	}
	draft, err := w.draftSession(c, proved.row.Person)
	if err != nil {
		return Opened{}, err
	}
	receipt, err := w.log.ProposeRows(ctx, w.vendorOf(ctx, proved.row.Person),
		func(s *fold.State, at purser.Stamp) purser.Entry { return w.opening(s, c, draft.id, proved.row, at) },
		func(tx ledger.Tx, _ purser.Pos, e purser.Entry) error {
			if err := w.count(tx, proved); err != nil {
				return err
			}
			opened := e.(*purser.SessionOpened)
			if opened.Reason != purser.Allowed {
				return nil
			}
			return w.store.PutSession(tx, draft.row(opened, w.now()))
		})
	if errors.Is(err, errCounted) {
		return Opened{}, w.wentBack(ctx, proved.row)
	}
	if err != nil {
		return Opened{}, fmt.Errorf("open session %v: %w", draft.id, err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return Opened{}, refusal
	}
	entry := receipt.Entry().(*purser.SessionOpened)
	w.keep(draft.live(entry))
	return Opened{
		Session: draft.id, Token: draft.token, ServerKey: draft.server, Who: entry.Who, Level: entry.Level,
		Expires: entry.Expires, Now: receipt.Stamp(), At: receipt.Pos(),
	}, nil
}

// opening decides a login whose passkey was checked.
func (w *Workforce) opening(s *fold.State, c *ceremony, session purser.SessionID, row AuthenticatorRow, at purser.Stamp) purser.Entry {
	who := s.Standing().Actor(row.Person)
	who.Session, who.Person = session, row.Person
	e := &purser.SessionOpened{
		Who: who, Authenticator: row.Authenticator, Level: c.level, Key: c.page.commitment(), Expires: at.Add(w.life),
	}
	e.Reason = login(s, e, row, at)
	return e
}

// proof is a checked assertion.
type proof struct {
	row   AuthenticatorRow
	count uint32 // the sign count that came with it
}

// proved checks a response against the ceremony and the passkey's own row, and
// uses the ceremony up if the passkey signed for it. What no passkey signed
// uses up nothing: it would let anybody fill the memory of what was used.
func (w *Workforce) proved(ctx context.Context, c *ceremony, response []byte) (proof, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return proof{}, ErrNotProved
	}
	row, err := w.store.Authenticator(ctx, sha256.Sum256(parsed.RawID))
	if err != nil {
		return proof{}, fmt.Errorf("look up authenticator: %w", err)
	}
	credential, err := w.credentialOf(row)
	if err != nil {
		return proof{}, err
	}
	_, data, err := w.assertion(c, nil)
	if err != nil {
		return proof{}, err
	}
	data.UserID = row.Person[:]
	checked, err := w.auth.ValidateLogin(holder{person: row.Person, keys: []webauthn.Credential{credential}}, data, parsed)
	if err != nil || !w.ceremonies.use(c, w.since()) {
		return proof{}, ErrNotProved
	}
	if checked.Authenticator.CloneWarning {
		return proof{}, w.wentBack(ctx, row)
	}
	return proof{row: row, count: parsed.Response.AuthenticatorData.Counter}, nil
}

// errCounted says that another use of the passkey was counted meanwhile.
var errCounted = errors.New("sign count moved")

// count moves the sign count in the transaction of the entry, so that of two
// uses with one count the second fails. Passkeys that do not count stay at 0.
func (w *Workforce) count(tx ledger.Tx, p proof) error {
	if p.count == 0 && p.row.SignCount == 0 {
		return nil
	}
	err := w.store.CountAuthenticator(tx, p.row.Authenticator, p.row.SignCount, p.count)
	if errors.Is(err, ErrNotProved) {
		return errCounted
	}
	return err
}

// wentBack records that a passkey's sign count did not grow: there may be a
// copy of it.
func (w *Workforce) wentBack(ctx context.Context, row AuthenticatorRow) error {
	_, err := w.log.Propose(ctx, w.vendorOf(ctx, row.Person), func(s *fold.State, _ purser.Stamp) purser.Entry {
		return &purser.Finding{What: purser.FindingSignCount, Who: s.Standing().Actor(row.Person), Count: 1}
	})
	if err != nil {
		return fmt.Errorf("record sign count of %v: %w", row.Authenticator, err)
	}
	return ErrNotProved
}

// draft is a session before its entry.
type draft struct {
	id     purser.SessionID
	token  Token
	key    RequestKey
	page   PageKey
	server PageKey
	sealed []byte
}

// draftSession draws identifier, token and the server's key pair, which is
// forgotten as soon as the request key is agreed.
func (w *Workforce) draftSession(c *ceremony, person purser.PersonID) (*draft, error) {
	id, err := newID[purser.SessionID](w.random)
	if err != nil {
		return nil, err
	}
	d := &draft{id: id, page: c.page}
	if _, err := io.ReadFull(w.random, d.token[:]); err != nil {
		return nil, fmt.Errorf("draw token: %w", err)
	}
	var pair *ecdh.PrivateKey
	if pair, d.server, err = NewPagePair(w.random); err != nil {
		return nil, err
	}
	if d.key, err = AgreeRequestKey(pair, c.page, c.challenge, id); err != nil {
		return nil, err
	}
	d.sealed, err = w.keys.SealNote(noteSession, sessionData(id, person), append(d.key[:], d.page[:]...))
	return d, err
}

// sessionData binds a sealed request key to its row and its person.
func sessionData(id purser.SessionID, person purser.PersonID) []byte {
	return append(id[:], person[:]...)
}

func (d *draft) row(e *purser.SessionOpened, now purser.Stamp) SessionRow {
	return SessionRow{
		Session: d.id, Person: e.Who.Person, Token: d.token.hash(),
		Opened: now, Expires: e.Expires, Sealed: d.sealed,
	}
}

func (d *draft) live(e *purser.SessionOpened) *live {
	return &live{
		Session: Session{Who: e.Who, Level: e.Level, Expires: e.Expires},
		token:   d.token.hash(), key: d.key, page: d.page,
	}
}
