package steps

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// Increment adds a number, which may be negative, to a field of a document. Its
// undo is the opposite increment, so that what others add meanwhile stays. With
// fractions the result can be off by the last digit of a double, as sums are.
type Increment struct {
	Database   string      `json:"database"`
	Collection string      `json:"collection"`
	ID         string      `json:"id"`
	Attribute  string      `json:"attribute"`
	By         json.Number `json:"by"`
	// AllowRace lets the step run where there are no receipts: on 1.7, and with
	// a journal in a file. After an answer that got lost, only the value tells
	// there whether the increment has happened, and somebody else's increment
	// of the same field can make it tell wrong.
	AllowRace bool `json:"allow_race,omitempty"`

	client *appwrite.Client
}

// incrementMemento is the value before the step.
type incrementMemento struct {
	Value json.Number `json:"value"`
	stageable
}

// Kind is "increment".
func (s Increment) Kind() string { return "increment" }

// Target is the document.
func (s Increment) Target() engine.Ref { return s.place().ref() }

// Validate checks the fields without a server.
func (s Increment) Validate() error {
	c := check{kind: s.Kind()}
	c.document(s.Database, s.Collection, s.ID, nil, nil)
	c.id("attribute", s.Attribute)
	if by, ok := exact(s.By); !ok {
		c.fail("by", "must be a number, not %q", s.By.String())
	} else if by.Sign() == 0 {
		c.fail("by", "must not be 0")
	}
	return c.err
}

func (s Increment) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s Increment) place() place {
	return place{client: s.client, database: s.Database, collection: s.Collection, id: s.ID}
}

// Capture reads the value and fails where the sum would not be one: no number,
// null, a fraction in an integer, or a sum outside the attribute's bounds, which
// the server does not check.
func (s Increment) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	f, err := readShape(ctx, s.place())
	if err != nil {
		return nil, err
	}
	attribute, known := f.attributes[s.Attribute]
	if !known || !ranged(attribute.Type) || attribute.Array {
		return nil, &FieldError{Kind: s.Kind(), Field: "attribute", Reason: "names no single number of the collection"}
	}
	by, _ := exact(s.By)
	if attribute.Type != appwrite.TypeFloat && !by.IsInt() {
		return nil, &FieldError{Kind: s.Kind(), Field: "by", Reason: "must be whole, as the attribute is"}
	}
	value, err := s.value(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.bounded(attribute, value); err != nil {
		return nil, err
	}
	return encode(incrementMemento{Value: value, stageable: stageable{Staged: f.server.Transactions}})
}

// Exacting implements engine.Exacting.
func (s Increment) Exacting() string {
	if s.AllowRace {
		return ""
	}
	return "without receipts nothing tells whether an increment has happened whose answer got lost: keep the journal in the project, " +
		"on Appwrite 1.8 or later, or take the risk that somebody else increments the same field meanwhile with allow_race: true"
}

// Receiptable implements engine.Receiptable.
func (s Increment) Receiptable(before engine.Memento) bool { return staged(before) }

// Committed implements engine.Receiptable.
func (s Increment) Committed(_ context.Context, _ engine.Site, before engine.Memento) (engine.Observation, error) {
	return before, nil
}

// value reads the field.
func (s Increment) value(ctx context.Context) (json.Number, error) {
	live, found, err := s.place().read(ctx, nil)
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", stopped(s.Target(), ErrMissing, "")
	}
	value, ok := live.Data[s.Attribute].(json.Number)
	if !ok {
		return "", stopped(s.Target(), ErrRefused, "%s is null, and null plus something stays null", s.Attribute)
	}
	return value, nil
}

// bounded refuses a sum outside the attribute's bounds.
func (s Increment) bounded(attribute appwrite.Attribute, value json.Number) error {
	sum, ok := s.sum(value)
	if !ok {
		return stopped(s.Target(), ErrRefused, "%s is %s, which is no number to add to", s.Attribute, value)
	}
	low, hasLow := exact(attribute.Min)
	high, hasHigh := exact(attribute.Max)
	if attribute.Type != appwrite.TypeFloat {
		low, hasLow = narrower(low, hasLow, minInt64(), 1), true
		high, hasHigh = narrower(high, hasHigh, maxInt64(), -1), true
	}
	if hasLow && sum.Cmp(low) < 0 || hasHigh && sum.Cmp(high) > 0 {
		return stopped(s.Target(), ErrRefused, "%s is %s and would become %s, outside its bounds", s.Attribute, value, decimal(sum))
	}
	return nil
}

// sum is what the step makes of a value.
func (s Increment) sum(value json.Number) (*big.Rat, bool) {
	v, okValue := exact(value)
	by, okBy := exact(s.By)
	switch {
	case !okValue || !okBy:
		return nil, false
	case v.IsInt() && by.IsInt():
		return v.Add(v, by), true
	default: // as the server does it, in doubles
		a, _ := v.Float64()
		b, _ := by.Float64()
		sum := new(big.Rat).SetFloat64(a + b)
		return sum, sum != nil
	}
}

// Apply adds. A server without increments is written to by compare and set.
func (s Increment) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[incrementMemento](before)
	if err != nil {
		return nil, err
	}
	if site.Receipt != nil {
		if err := s.commit(ctx, site); err != nil {
			return nil, err
		}
		return encode(m)
	}
	server, err := s.client.Detect(ctx)
	if err != nil {
		return nil, err
	}
	by, _ := exact(s.By)
	switch {
	case !server.Capabilities.Increment:
		err = s.replace(ctx)
	case by.Sign() > 0:
		err = s.client.Increment(ctx, s.Database, s.Collection, s.ID, s.Attribute, s.By)
	default:
		err = s.client.Decrement(ctx, s.Database, s.Collection, s.ID, s.Attribute, decimal(by.Neg(by)))
	}
	if err != nil {
		return nil, err
	}
	return encode(m)
}

// commit adds together with a receipt. Others may add at the same time; what
// would lead out of the attribute's bounds is refused as it would be at first.
func (s Increment) commit(ctx context.Context, site engine.Site) error {
	change, err := s.change(ctx)
	if err != nil {
		return err
	}
	return s.place().commit(ctx, site, []appwrite.Operation{change}, func(ctx context.Context) error {
		_, err := s.value(ctx)
		return err
	})
}

// change is the increment in a transaction, which checks the attribute's bounds.
func (s Increment) change(ctx context.Context) (appwrite.Operation, error) {
	f, err := readShape(ctx, s.place())
	if err != nil {
		return appwrite.Operation{}, err
	}
	by, _ := exact(s.By)
	change := s.place().operation(appwrite.ActionIncrement, DocumentValues{})
	change.Attribute, change.By = s.Attribute, s.By
	attribute := f.attributes[s.Attribute]
	if by.Sign() < 0 {
		change.Action, change.By = appwrite.ActionDecrement, decimal(by.Neg(by))
		change.Min = tight(attribute.Min, minInt64())
	} else {
		change.Max = tight(attribute.Max, maxInt64())
	}
	return change, nil
}

// tight gives a bound that is narrower than the type's own, or "".
func tight(bound json.Number, limit *big.Rat) json.Number {
	if b, ok := exact(bound); !ok || new(big.Rat).Abs(b).Cmp(new(big.Rat).Sub(new(big.Rat).Abs(limit), big.NewRat(1, 1))) >= 0 {
		return ""
	}
	return bound
}

// replace writes the sum over the value that was read, and starts anew when
// somebody else was faster.
func (s Increment) replace(ctx context.Context) error {
	for range guardTries {
		live, found, err := s.place().read(ctx, nil)
		if err != nil {
			return err
		}
		value, ok := live.Data[s.Attribute].(json.Number)
		if !found || !ok {
			return s.place().foreign("%s is no number any more", s.Attribute)
		}
		sum, ok := s.sum(value)
		if !ok {
			return s.place().foreign("%s is no number any more", s.Attribute)
		}
		_, err = s.client.UpdateDocument(ctx, s.Database, s.Collection, s.ID,
			appwrite.DocumentPatch{Data: map[string]any{s.Attribute: decimal(sum)}}, appwrite.Guard{UpdatedAt: live.UpdatedAt})
		if errors.Is(err, appwrite.ErrOverlapped) {
			return nil // written; the other writer's fields are other ones
		}
		if !errors.Is(err, appwrite.ErrConflict) {
			return err
		}
	}
	return s.place().foreign("it changes faster than it can be written")
}

// Settle has nothing to wait for.
func (s Increment) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares the value with what it was and with the sum, when an attempt is
// in doubt. Otherwise the value tells nothing, since others may add to it.
func (s Increment) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	if !site.Doubtful {
		return engine.Finding{}, stopped(s.Target(), engine.ErrUnknownOutcome, "an increment cannot be told from its value")
	}
	m, err := recall[incrementMemento](before)
	if err != nil {
		return engine.Finding{}, err
	}
	live, found, err := s.place().read(ctx, nil)
	if err != nil {
		return gone(err)
	}
	value, isNumber := live.Data[s.Attribute].(json.Number)
	sum, ok := s.sum(m.Value)
	switch {
	case !found:
		return foreign("the document is gone")
	case isNumber && sameNumber(value, m.Value):
		return engine.Finding{State: engine.StateBefore}, nil
	case isNumber && ok && (sum.IsInt() && sameNumber(value, decimal(sum)) || !sum.IsInt() && sameFloat(value, decimal(sum))):
		return foundAfter(m)
	default:
		return foreign("%s was %s and is %v now", s.Attribute, m.Value, live.Data[s.Attribute])
	}
}

// Inverse is the opposite increment.
func (s Increment) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	opposite := s
	if by, negative := strings.CutPrefix(s.By.String(), "-"); negative {
		opposite.By = json.Number(by)
	} else {
		opposite.By = "-" + s.By
	}
	return []engine.Step{opposite}, nil
}

// exact reads a number without rounding. Exponents beyond a double's are
// refused rather than written out.
func exact(n json.Number) (*big.Rat, bool) {
	if f, err := n.Float64(); err != nil || f-f != 0 {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

// decimal writes a sum: integers in full, fractions as a double would be.
func decimal(sum *big.Rat) json.Number {
	if sum.IsInt() {
		return json.Number(sum.Num().String())
	}
	f, _ := sum.Float64()
	raw, err := json.Marshal(f)
	if err != nil {
		return json.Number(sum.FloatString(17))
	}
	return json.Number(raw)
}

func minInt64() *big.Rat { return new(big.Rat).SetInt64(-1 << 63) }

func maxInt64() *big.Rat { return new(big.Rat).SetInt64(1<<63 - 1) }

// narrower gives the limit of the type where the bound is missing or wider.
func narrower(bound *big.Rat, has bool, limit *big.Rat, sign int) *big.Rat {
	if !has || bound.Cmp(limit) == -sign {
		return limit
	}
	return bound
}
