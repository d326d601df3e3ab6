package main

import (
	"context"
	"reflect"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

const (
	// retainEvery is how often the daemon forgets what is too old by now.
	retainEvery = time.Hour
	// retainLook is how often it looks whether the setting is another one.
	retainLook = time.Second
)

// retain completes, at the start and each hour, what a forget that was killed had begun, and
// forgets what [retention] says is too old, until ctx ends; also once that says something else.
func (k *keeper) retain(ctx context.Context) {
	ticker := time.NewTicker(retainLook)
	defer ticker.Stop()
	var last time.Time
	var by config.Retention
	for {
		k.mu.Lock()
		now := k.plan.retention
		k.mu.Unlock()
		if last.IsZero() || time.Since(last) >= retainEvery || !reflect.DeepEqual(now, by) {
			last, by = time.Now(), now
			k.retainOnce(ctx, now)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// retainOnce does it once, by the app's clock. What it says names no session: these are forgotten.
func (k *keeper) retainOnce(ctx context.Context, r config.Retention) {
	h, err := actiongraph.Open(k.journal.Home(), actiongraph.Options{})
	var found actiongraph.Forgettable
	if err == nil {
		found, err = h.Retain(ctx, r.Age(), r.KeepTags, k.app.now())
		h.Close()
	}
	if n := len(found.Sessions); n > 0 {
		k.log.Info().Int("sessions", n).Int64("events", found.Events()).Msg("sessions were forgotten for their age")
	}
	if err != nil && ctx.Err() == nil {
		k.log.Warn().EmbedObject(logline.Why(failure.RetentionFailed, err)).Msg("not all could be forgotten; it is tried again within the hour")
	}
}
