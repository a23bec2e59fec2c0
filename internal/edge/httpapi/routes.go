package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// access is who may call a route at all. What a session may do there is
// decided further down.
type access uint8

const (
	everybody access = 1 + iota // login, enrolment, health
	source                      // authenticated by the intake
	signed                      // signed by a live session
)

// timing is when a route's answers leave.
type timing uint8

const (
	atOnce timing = iota
	onTick        // outcomes must not be told apart by time (L5)
)

// keeping is which of a route's answers to a named ask may be kept.
type keeping uint8

const (
	keepAll     keeping = iota
	keepPlain           // those without a secret
	keepNothing         // they hold values
)

// secretive is an answer of a route with keepPlain.
type secretive interface{ secret() bool }

type route struct {
	method, path, summary string
	access                access
	timing                timing
	keeping               keeping
	register              func(*API, route)
}

// routes is the table of everything under /v1, walked by tests.
func routes() []route {
	const post, get = http.MethodPost, http.MethodGet
	return []route{
		at(get, "/healthz", "Whether the ledger can be written", everybody, atOnce, (*API).health),

		at(post, "/v1/enrolments/begin", "Begin enrolling a passkey with a ticket", everybody, onTick, (*API).beginEnrol),
		at(post, "/v1/enrolments/finish", "Finish enrolling a passkey", everybody, onTick, (*API).finishEnrol),
		at(post, "/v1/login/begin", "Begin a login by passkey", everybody, onTick, (*API).beginLogin),
		at(post, "/v1/login/finish", "Finish a login", everybody, onTick, (*API).finishLogin),

		at(post, "/v1/step-up/begin", "Begin a fresh assertion", signed, atOnce, (*API).beginStepUp),
		at(post, "/v1/step-up/finish", "Finish a fresh assertion", signed, atOnce, (*API).finishStepUp),
		at(post, "/v1/logout", "End this session", signed, atOnce, (*API).logout),
		at(post, "/v1/logout/everywhere", "End all own sessions", signed, atOnce, (*API).logoutEverywhere),
		at(get, "/v1/sessions", "List own sessions", signed, atOnce, (*API).ownSessions),

		at(get, "/v1/contacts", "List the contacts that telephony gave to this person", signed, atOnce, (*API).listContacts),
		at(post, "/v1/contacts/{contact}/claim", "Claim a contact", signed, onTick, (*API).claim),
		at(post, "/v1/contacts/{contact}/identify", "Compare what the caller said", signed, onTick, (*API).identify),
		at(post, "/v1/contacts/{contact}/link", "Identify a further customer of the same booking", signed, onTick, (*API).link),
		at(post, "/v1/contacts/{contact}/code", "Send a code to the customer", signed, onTick, (*API).sendCode),
		at(post, "/v1/contacts/{contact}/code/try", "Try the code that the caller read out", signed, onTick, (*API).tryCode),
		at(post, "/v1/contacts/{contact}/amend", "Write fields without being shown what they held", signed, onTick, (*API).amend),
		at(post, "/v1/contacts/{contact}/break-glass", "Ask a lead to open the record", signed, onTick, (*API).breakGlass),
		at(post, "/v1/contacts/{contact}/break-glass/approve", "Approve it, as a lead", signed, onTick, (*API).approveBreakGlass),
		at(post, "/v1/contacts/{contact}/undo", "Take a wrong binding back, as a lead", signed, onTick, (*API).undo),
		at(post, "/v1/contacts/{contact}/disclose", "Show fields", signed, refusalsOnTick, (*API).disclose).keep(keepNothing),

		at(get, "/v1/topics", "What a case may be about, or a contact have come to", signed, atOnce, (*API).topics),
		at(post, "/v1/contacts/{contact}/notes", "Append a note; after hang-up too, while wrap-up lasts", signed, onTick, (*API).note),
		at(post, "/v1/contacts/{contact}/wrap-up", "Say what the contact came to", signed, onTick, (*API).wrapUp),
		at(post, "/v1/contacts/{contact}/cases", "Open a case, also where nobody is bound", signed, onTick, (*API).openCase),
		at(post, "/v1/contacts/{contact}/cases/bind", "Give a case that was taken blind its customer", signed, onTick, (*API).bindCase),
		at(post, "/v1/contacts/{contact}/cases/{case}/move", "Move a case on", signed, onTick, (*API).moveCase),
		at(post, "/v1/contacts/{contact}/timeline", "Show a page of cases and notes", signed, refusalsOnTick, (*API).timeline).keep(keepNothing),

		at(post, "/v1/locks", "Stop somebody at once", signed, atOnce, (*API).placeLock),
		at(post, "/v1/locks/{lock}/lift", "Vote to lift a lock; the second person lifts it", signed, atOnce, (*API).liftLock),
		at(post, "/v1/people/{person}/suspend", "Suspend a person at once", signed, atOnce, (*API).suspend),
		at(post, "/v1/clock/accept", "Accept the wall clock after a jump, as security", signed, atOnce, (*API).acceptClock),
		at(get, "/v1/ledger", "How far the ledger goes, for security, privacy and admins", signed, atOnce, (*API).ledger),
		at(get, "/v1/refusals/{reference}", "The reason behind a reference", signed, atOnce, (*API).reason),
		at(get, "/v1/changes", "List the changes that may still take effect", signed, atOnce, (*API).openChanges),
		at(post, "/v1/changes", "Change something: a tightening at once, a loosening by two people and a hold", signed, atOnce, (*API).set).keep(keepPlain),
		at(get, "/v1/changes/{change}", "What a change enacts, and how far it has come", signed, atOnce, (*API).oneChange),
		at(post, "/v1/changes/{change}/vote", "Approve or veto a change", signed, atOnce, (*API).vote),

		at(get, "/v1/mandates", "List the mandates that are not over; an agent sees his own", signed, atOnce, (*API).mandates),
		at(post, "/v1/mandates", "Ask for a mandate, in one role", signed, atOnce, (*API).askMandate),
		at(get, "/v1/mandates/{mandate}", "What a mandate names, for whom and how far it has come", signed, atOnce, (*API).mandate),
		at(post, "/v1/mandates/{mandate}/approve", "Approve a mandate, as another person in another role", signed, atOnce, (*API).approveMandate),
		at(post, "/v1/mandates/{mandate}/end", "End a mandate before its time", signed, atOnce, (*API).endMandate),
		at(post, "/v1/mandates/{mandate}/disclose", "Show fields of the customer whose case one was given", signed, refusalsOnTick, (*API).discloseMandate).keep(keepNothing),
		at(post, "/v1/mandates/{mandate}/timeline", "Show a page of cases and notes of the customer whose case one was given", signed, refusalsOnTick, (*API).mandateTimeline).keep(keepNothing),
		at(post, "/v1/mandates/{mandate}/dial", "Call the customer of a call-back, without seeing the number", signed, onTick, (*API).dial),
		at(post, "/v1/erasures", "Vote to erase a customer; the second person, of another role, does it", signed, atOnce, (*API).erase),
		at(get, "/v1/erasures/{reference}", "What an erasure destroyed", signed, atOnce, (*API).erasure),
		at(get, "/v1/holds", "List the legal holds that stand", signed, atOnce, (*API).holds),
		at(post, "/v1/holds", "Hold everything of some customers as it is, at once", signed, atOnce, (*API).placeHold),
		at(post, "/v1/holds/{hold}/lift", "Vote to lift a hold; the second person, of another role, lifts it", signed, atOnce, (*API).liftHold),

		at(post, "/v1/telephony/events", "Report what happened to a contact", source, atOnce, (*API).event),
	}
}

// refusalsOnTick lets an allowed disclosure leave at once; whoever gets one is
// entitled to know that he did.
const refusalsOnTick timing = 2

// limits of a request.
const (
	bodyLimit = 64 << 10
	bodyTime  = 10 * time.Second
)

func (r route) operation() huma.Operation {
	op := huma.Operation{
		Method: r.method, Path: r.path, Summary: r.summary, OperationID: r.method + " " + r.path,
		MaxBodyBytes: bodyLimit, BodyReadTimeout: bodyTime,
	}
	if r.access == signed {
		op.Security = []map[string][]string{{"session": {}}}
		op.Errors = []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable,
		}
	}
	return op
}

// at makes a table row of a handler: the library parses and validates I, the
// handler calls one domain function, and what it returns leaves when the route
// says.
func at[I, O any](
	method, path, summary string, who access, when timing, handle func(*API, context.Context, *I) (*O, error),
) route {
	register := func(a *API, r route) {
		huma.Register(a.huma, r.operation(), func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(a, ctx, in)
			if when == onTick || (when == refusalsOnTick && err != nil) {
				if waited := a.c.Web.Ticks().Wait(ctx); waited != nil {
					return nil, a.told(ctx, waited)
				}
			}
			if err != nil {
				return nil, a.told(ctx, err)
			}
			if s, ok := any(out).(secretive); ok && r.keeping == keepPlain && s.secret() {
				holdsSecret(ctx)
			}
			return out, nil
		})
	}
	return route{method: method, path: path, summary: summary, access: who, timing: when, register: register}
}

// keep says which answers of a route may be kept.
func (r route) keep(k keeping) route {
	r.keeping = k
	return r
}
