package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/backstep-dev/backstep/journal"
)

// The conditions that callers tell apart with errors.Is.
var (
	// ErrRecipient: a recipient that cannot be used.
	ErrRecipient = errors.New("not a recipient that can be sealed for")
	// ErrIdentity: an identity that cannot be read. The error never holds it.
	ErrIdentity = errors.New("no age identity that can be read")
)

// Keys seals for its recipients and opens with its identities. The zero value
// does neither.
type Keys struct {
	recipients []age.Recipient
	identities []age.Identity
	given      int // how many of the identities were given, rather than made here
}

// NewKeys reads recipients (public keys, "age1…") and identities (secret keys,
// "AGE-SECRET-KEY-…", one a line, as age-keygen writes them; blank lines and
// comments are passed over). Either may be empty.
//
// Where there are recipients, an identity is made up that this value alone
// knows: what it has sealed it can open as long as the process lives, so that a
// run can verify its archives and undo itself without any identity at hand.
//
// The errors wrap ErrRecipient or ErrIdentity and hold no key.
func NewKeys(recipients []string, identities string) (*Keys, error) {
	keys := &Keys{}
	if strings.TrimSpace(identities) != "" {
		found, err := age.ParseIdentities(strings.NewReader(identities))
		if err != nil { // its text may hold a part of the identity
			return nil, ErrIdentity
		}
		keys.identities, keys.given = found, len(found)
	}
	for i, text := range recipients {
		if strings.Contains(strings.ToUpper(text), "AGE-SECRET-KEY") {
			return nil, fmt.Errorf("%w: number %d is a secret key, and belongs in no file that is shared", ErrRecipient, i+1)
		}
		found, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%w: %q", ErrRecipient, text)
		}
		keys.recipients = append(keys.recipients, found...)
	}
	return keys, keys.addOwn()
}

// addOwn makes up the identity of this process. It is of the kind of the first
// recipient, since those that resist quantum computers do not go with others.
func (k *Keys) addOwn() error {
	if len(k.recipients) == 0 {
		return nil
	}
	if _, hybrid := k.recipients[0].(*age.HybridRecipient); hybrid {
		own, err := age.GenerateHybridIdentity()
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		k.recipients, k.identities = append(k.recipients, own.Recipient()), append(k.identities, own)
	} else {
		own, err := age.GenerateX25519Identity()
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		k.recipients, k.identities = append(k.recipients, own.Recipient()), append(k.identities, own)
	}
	if _, err := k.Seal(nil); err != nil {
		return fmt.Errorf("%w: they do not go together: %w", ErrRecipient, err)
	}
	return nil
}

// Sealing says whether there are recipients.
func (k *Keys) Sealing() bool { return len(k.recipients) > 0 }

// Opening says whether an identity was given.
func (k *Keys) Opening() bool { return k.given > 0 }

// Seal implements journal.Sealer.
func (k *Keys) Seal(plain []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, k.recipients...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed.Bytes(), nil
}

// Open implements journal.Sealer.
func (k *Keys) Open(sealed []byte) ([]byte, error) {
	if len(k.identities) == 0 {
		return nil, fmt.Errorf("%w: no identity is given", journal.ErrSealed)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), k.identities...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		if k.given == 0 {
			return nil, fmt.Errorf("%w: no identity is given, and another process has sealed it", journal.ErrSealed)
		}
		return nil, fmt.Errorf("%w: it is sealed for others than the %d given", journal.ErrSealed, k.given)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: open what is sealed: %w", journal.ErrDamaged, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: open what is sealed: %w", journal.ErrDamaged, err)
	}
	return plain, nil
}
