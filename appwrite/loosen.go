package appwrite

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
)

// loosenDefault prepares the removal of a float's default. A whole number as
// default (1, which is also what 1.0 becomes) is stored as an integer, and
// every server then answers a PATCH to null with a 500. A fraction in its place
// can be removed, so it is put there first, for as long as the two requests take.
func (c *Client) loosenDefault(ctx context.Context, database, collection, key, at string, patch AttributePatch) error {
	now, err := c.FindAttribute(ctx, database, collection, key)
	if err != nil {
		return err
	}
	whole, err := strconv.ParseFloat(string(now.Default), 64)
	if now.Default == nil || err != nil || whole != math.Trunc(whole) {
		return nil //nolint:nilerr // no number, or one with a fraction: nothing to prepare
	}
	fraction, ok := fractionNear(whole, number(now.Min, -math.MaxFloat64), number(now.Max, math.MaxFloat64))
	if !ok {
		return fmt.Errorf("%w: the default of %q cannot be removed: it is a whole number and the bounds leave no fraction beside it", ErrUnsupported, key)
	}
	step := AttributePatch{Type: patch.Type, Default: fraction}
	_, err = c.attribute(ctx, request{method: http.MethodPatch, path: at, params: patchParams(step)})
	return err
}

// fractionNear gives a number with a fraction, near n and within the bounds.
func fractionNear(n, lowest, highest float64) (json.RawMessage, bool) {
	for _, candidate := range []float64{n + 0.5, n - 0.5, n + (highest-n)/2, n - (n-lowest)/2, 0.5, -0.5} {
		if candidate != math.Trunc(candidate) && candidate >= lowest && candidate <= highest {
			return json.RawMessage(strconv.FormatFloat(candidate, 'g', -1, 64)), true
		}
	}
	return nil, false
}

func number(n json.Number, otherwise float64) float64 {
	if f, err := n.Float64(); err == nil {
		return f
	}
	return otherwise
}
