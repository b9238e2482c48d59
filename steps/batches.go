package steps

import (
	"encoding/json"
	"iter"
)

// batch is how many documents one request names: the server's bulk limit.
const batch = 100

// decoded gives an archive's lines as values.
func decoded[T any](lines iter.Seq2[json.RawMessage, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for line, err := range lines {
			var item T
			if err == nil {
				item, err = recall[T](line)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// inBatches hands values over up to a batch at a time.
func inBatches[T any](items iter.Seq2[T, error], each func([]T) error) error {
	var page []T
	for item, err := range items {
		if err != nil {
			return err
		}
		if page = append(page, item); len(page) < batch {
			continue
		}
		if err := each(page); err != nil {
			return err
		}
		page = nil
	}
	if len(page) == 0 {
		return nil
	}
	return each(page)
}
