package demo

import (
	"context"
	"fmt"

	"purser"
	"purser/internal/telephony"
)

// pause puts the caller on hold for a while.
func (c *conversation) pause(ctx context.Context) error {
	if !c.hold {
		return nil
	}
	if err := c.say(ctx, purser.EventHeld, telephony.Data{Agent: c.agent.Agent}); err != nil {
		return err
	}
	c.tally.set(func(t *tally) { t.holds++ })
	if err := c.sleep(ctx, c.dice.seconds(20, 60)); err != nil {
		return err
	}
	return c.say(ctx, purser.EventConnected, telephony.Data{Agent: c.agent.Agent})
}

// handOver brings a lead in: for advice, or for good.
func (c *conversation) handOver(ctx context.Context) error {
	lead := c.agent.lead()
	switch {
	case !c.consult && !c.transfer || !lead.take():
		return nil
	case c.transfer:
		return c.toLead(ctx, lead)
	}
	defer lead.release()
	return c.advice(ctx, lead)
}

// advice is a consult: the lead has a leg and a claim of his own.
func (c *conversation) advice(ctx context.Context, lead *person) error {
	both := telephony.Data{Agent: c.agent.Agent, To: lead.Agent}
	if err := c.say(ctx, purser.EventConsult, both); err != nil {
		return err
	}
	c.tally.set(func(t *tally) { t.consults++ })
	c.touch()
	if err := lead.post(ctx, c.path("claim"), nil, nil); err != nil {
		return fmt.Errorf("claim of a consult: %w", err)
	}
	if err := c.sleep(ctx, c.dice.seconds(20, 50)); err != nil {
		return err
	}
	return c.say(ctx, purser.EventLeft, telephony.Data{Agent: lead.Agent})
}

// toLead is a transfer: the right moves at once, and the verification with it.
func (c *conversation) toLead(ctx context.Context, lead *person) error {
	both := telephony.Data{Agent: c.agent.Agent, To: lead.Agent}
	if err := c.say(ctx, purser.EventTransferred, both); err != nil {
		lead.release()
		return err
	}
	c.holder = lead
	c.enter(c.id, lead)
	c.tally.set(func(t *tally) { t.transfers++ })
	if err := c.ask(ctx, "claim", nil, nil); err != nil {
		return fmt.Errorf("claim after a transfer: %w", err)
	}
	if err := c.sleep(ctx, c.dice.seconds(5, 15)); err != nil {
		return err
	}
	return c.reveal(ctx, "name", "tier")
}

// emergency is a caller who cannot be verified and must travel now: a lead's
// own passkey opens the record, and everybody can see that it did.
func (c *conversation) emergency(ctx context.Context) error {
	lead := c.agent.lead()
	in := map[string]any{"items": items(&c.who)[:1], "emergency": "travel_now"}
	if err := c.ask(ctx, "break-glass", in, nil); err != nil {
		return fmt.Errorf("break-glass: %w", err)
	}
	if err := c.sleep(ctx, c.dice.seconds(20, 40)); err != nil {
		return err
	}
	c.touch()
	if err := lead.stepUp(ctx); err != nil {
		return fmt.Errorf("step-up of a lead: %w", err)
	}
	if err := lead.post(ctx, c.path("break-glass/approve"), nil, nil); err != nil {
		return fmt.Errorf("approve break-glass: %w", err)
	}
	c.got = "A0"
	c.tally.set(func(t *tally) { t.glass++ })
	c.tally.mark(c.clock.Now(), "break-glass: %s opens it with a passkey for %s", lead.Name, c.agent.Name)
	if err := c.sleep(ctx, c.dice.seconds(5, 15)); err != nil {
		return err
	}
	return c.reveal(ctx, "name", "phone")
}
