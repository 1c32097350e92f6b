package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/parley-im/parley/chat"
)

func TestWhatIsRefusedForNowIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := chat.Errorf(chat.CodeBusy, "test", "the shard is moving")
		answers := func(all ...error) func() error {
			return func() error {
				err := all[0]
				all = all[1:]
				return err
			}
		}
		if err := retry(t.Context(), answers(busy, busy, nil)); err != nil {
			t.Errorf("after two refusals: %v", err)
		}
		refusal := chat.Errorf(chat.CodeInvalidParam, "test", "no")
		if err := retry(t.Context(), answers(busy, refusal)); !errors.Is(err, refusal) {
			t.Errorf("after a refusal for good: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*retryPause)
		defer cancel()
		if err := retry(ctx, func() error { return busy }); !errors.Is(err, busy) {
			t.Errorf("when the time is up: %v", err)
		}
	})
}
