package demo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"purser"
	"purser/internal/synth"
	"purser/internal/telephony"
)

// letterTime is how long, of real time, a code may take to the catcher.
const letterTime = 10 * time.Second

// conversation is one contact from the offer to its end, with the agent's part and
// the caller's.
type conversation struct {
	*shift
	*worker
	plan

	who    synth.Customer // who calls
	agent  *person
	holder *person // who is on the contact now: the agent, or a lead after a transfer
	weak   *int    // the agent's weak contacts today
	call   string  // the switch's id
	id     purser.ContactID
	bound  bool
	got    string // the assurance, as the API says it
	first  bool   // a field was disclosed
}

func (c *conversation) path(act string) string { return "/v1/contacts/" + c.id.String() + "/" + act }

// say reports an event of this contact.
func (c *conversation) say(ctx context.Context, event purser.Event, d telephony.Data) error {
	c.touch()
	d.Call = c.call
	return c.agent.Vendor.line.say(ctx, event, d)
}

// ask posts an act to the contact in its holder's session.
func (c *conversation) ask(ctx context.Context, act string, in, out any) error {
	c.touch()
	err := c.holder.post(ctx, c.path(act), in, out)
	if _, refused := refusal(err); refused {
		c.touch()
		c.tally.refuse(c.explained(ctx, c.holder, err))
	}
	return err
}

func (c *conversation) run(ctx context.Context) error {
	if err := c.begin(ctx); err != nil {
		return err
	}
	err := c.talk(ctx)
	if _, refused := refusal(err); refused {
		err = nil // the caller is told that it cannot be done today
	}
	return errors.Join(err, c.end(ctx))
}

// begin is the way of a contact to the session that claims it.
func (c *conversation) begin(ctx context.Context) error {
	c.call = "c" + strconv.Itoa(c.number)
	caller := telephony.Data{Agent: c.agent.Agent, Caller: c.dice.payphone(), Attestation: "none"}
	if c.attested && c.who.Phone != "" {
		caller.Caller, caller.Attestation = c.who.Phone, "carrier"
	}
	if err := c.say(ctx, purser.EventOffered, caller); err != nil {
		return err
	}
	if err := c.sleep(ctx, c.dice.seconds(2, 8)); err != nil {
		return err
	}
	if err := c.say(ctx, purser.EventConnected, caller); err != nil {
		return err
	}
	if err := c.find(ctx); err != nil {
		return err
	}
	c.enter(c.id, c.agent)
	c.tally.set(func(t *tally) { t.contacts++ })
	if err := c.ask(ctx, "claim", nil, nil); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	return c.sleep(ctx, c.dice.seconds(10, 30))
}

// find looks up which contact telephony gave to the agent.
func (c *conversation) find(ctx context.Context) error {
	var work struct {
		Contacts []struct {
			Contact purser.ContactID `json:"contact"`
			Phase   string           `json:"phase"`
			Claimed bool             `json:"claimed"`
		} `json:"contacts"`
	}
	c.touch()
	if err := c.agent.get(ctx, "/v1/contacts", &work); err != nil {
		return err
	}
	for _, one := range work.Contacts {
		if !one.Claimed && one.Phase == "connected" {
			c.id = one.Contact
			return nil
		}
	}
	return errNotOffered
}

// talk is what happens between the two.
func (c *conversation) talk(ctx context.Context) error {
	if c.glass {
		return c.emergency(ctx)
	}
	if !c.identify(ctx) {
		return ctx.Err()
	}
	steps := []func(context.Context) error{c.stronger, c.show, c.pause, c.more, c.handOver, c.last}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
		if err := c.sleep(ctx, c.dice.seconds(15, 45)); err != nil {
			return err
		}
	}
	return nil
}

// identify types what the caller says until it is enough, at most three times.
func (c *conversation) identify(ctx context.Context) bool {
	right := items(&c.who)
	tries := [][]item{}
	if c.miss && c.mayFail(c.customer) {
		tries = append(tries, c.nobody(right))
	}
	if c.slip && c.mayFail(c.customer) {
		tries = append(tries, slipped(right))
	}
	for _, said := range append(tries, right) {
		var found struct {
			Assurance string `json:"assurance"`
		}
		err := c.ask(ctx, "identify", map[string]any{"items": said}, &found)
		if err == nil {
			c.bound, c.got = true, found.Assurance
			c.tally.set(func(t *tally) { t.verified++ })
			return true
		}
		if _, refused := refusal(err); !refused {
			c.unexpected(ctx, "identify", err)
			return false
		}
		if c.sleep(ctx, c.dice.seconds(10, 30)) != nil {
			return false
		}
	}
	return false
}

func (c *conversation) unexpected(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		c.fault(fmt.Errorf("call %d: %s: %w", c.number, what, err))
	}
}

// nobody is what a caller says whose number was misheard: it finds nobody.
func (c *conversation) nobody(right []item) []item {
	wrong := append([]item{}, right...)
	beyond := synth.CustomerAt(c.config.Seed, synth.Airline, c.config.Customers+1000+c.number)
	wrong[0] = item{"email", "nobody." + beyond.Email}
	if beyond.LoyaltyNumber != "" {
		wrong[0] = item{"loyalty_number", beyond.LoyaltyNumber}
	}
	return wrong
}

// slipped is what a caller says when the other item was mistyped.
func slipped(right []item) []item {
	wrong := append([]item{}, right...)
	last := &wrong[len(wrong)-1]
	if last.Kind == "birth_date" {
		year, _ := strconv.Atoi(last.Said[:4])
		last.Said = strconv.Itoa(year-1) + last.Said[4:]
	} else {
		last.Said = "9" + strings.TrimPrefix(last.Said, "9")
	}
	return wrong
}

// stronger asks for a code where the plan, or what the agent may do today,
// wants more than knowledge.
func (c *conversation) stronger(ctx context.Context) error {
	weak := c.got == "A1"
	if !c.keypad && !(weak && (c.code || *c.weak >= weakPrefer)) {
		return nil
	}
	if c.who.Email == "" || !c.maySend(c.customer) {
		return nil
	}
	if err := c.ask(ctx, "code", struct{}{}, nil); err != nil {
		return err
	}
	code, err := c.letter(ctx)
	if err != nil {
		return err
	}
	c.tally.set(func(t *tally) { t.codes++ })
	if err := c.sleep(ctx, c.dice.seconds(10, 30)); err != nil {
		return err
	}
	if c.keypad {
		c.got = "A3"
		c.tally.set(func(t *tally) { t.keyed++ })
		return c.say(ctx, purser.EventKeypad, telephony.Data{Digits: code})
	}
	c.got = "A2"
	return c.ask(ctx, "code/try", map[string]any{"digits": code}, nil)
}

// letter is the customer reading the code in the mail.
func (c *conversation) letter(ctx context.Context) (string, error) {
	c.touch()
	ctx, cancel := context.WithTimeout(ctx, letterTime)
	defer cancel()
	letter, err := c.mail.WaitForNth(ctx, c.who.Email, c.sent(c.customer))
	if err != nil {
		return "", fmt.Errorf("the code mail did not come: %w", err)
	}
	code, _, _ := strings.Cut(letter.Text, "\n")
	return strings.TrimSpace(code), nil
}

// disclose asks for fields and counts those that came. None is what an agent is
// shown who may see none of them, or whose customer has none: nobody tells
// which. It reports how many came.
func (c *conversation) disclose(ctx context.Context, fields ...string) (int, error) {
	var shown struct {
		Fields map[string]string `json:"fields"`
	}
	if err := c.ask(ctx, "disclose", map[string]any{"fields": fields}, &shown); err != nil {
		return 0, err
	}
	if len(shown.Fields) == 0 {
		c.tally.refuse(purser.FieldsNotAllowed.String())
		return 0, nil
	}
	if !c.first {
		c.first = true
		if c.got == "A1" {
			*c.weak++
		}
	}
	c.tally.disclosed(c.clock.Now(), c.holder, c.got, len(shown.Fields), shownOf(fields, shown.Fields))
	return len(shown.Fields), nil
}

// reveal is disclose for who does not mind what comes.
func (c *conversation) reveal(ctx context.Context, fields ...string) error {
	_, err := c.disclose(ctx, fields...)
	return err
}

// shownOf lists the asked fields that came, never what they hold.
func shownOf(asked []string, shown map[string]string) string {
	var out []string
	for _, name := range asked {
		if _, ok := shown[name]; ok {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

func (c *conversation) show(ctx context.Context) error {
	n := 1 + c.dice.below(3)
	fields := c.dice.some(n, "name", "tier", "points", "loyalty_number:masked", "email:masked", "phone:masked")
	return c.reveal(ctx, fields...)
}

// more is a field that takes more than knowledge: who has only that is shown
// nothing, and asks for a code.
func (c *conversation) more(ctx context.Context) error {
	switch {
	case c.got == "A3":
		return c.reveal(ctx, "address")
	case !c.strong:
		return nil
	}
	field := c.dice.some(1, "phone", "email", "salutation")
	came, err := c.disclose(ctx, field...)
	if err != nil || came > 0 || c.got != "A1" {
		return err
	}
	c.code = true
	if err := c.stronger(ctx); err != nil || c.got == "A1" {
		return err
	}
	return c.reveal(ctx, field...)
}

func (c *conversation) last(ctx context.Context) error {
	if !c.dice.chance(35) {
		return nil
	}
	return c.reveal(ctx, c.dice.some(2, "status_credits", "points", "loyalty_number")...)
}

// end is the hang-up and what follows it.
func (c *conversation) end(ctx context.Context) error {
	c.exit(c.id)
	if err := c.say(ctx, purser.EventHungUp, telephony.Data{Agent: c.holder.Agent}); err != nil {
		return err
	}
	if c.holder != c.agent {
		c.holder.release()
	}
	if err := c.sleep(ctx, c.dice.seconds(20, 60)); err != nil {
		return err
	}
	return c.say(ctx, purser.EventClosed, telephony.Data{})
}

// payphone is the number of a telephone that is nobody's.
func (d *dice) payphone() string { return "+6149157" + strconv.Itoa(10000 + d.below(10000))[1:] }
