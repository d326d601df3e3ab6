package actiongraph

import (
	"context"
	"time"

	"github.com/actiongraph/actiongraph/connector"
)

// Pack packs sessions that have ended, which then take some tenth of the room; they are read as
// before. The zero options pack all that have ended, now. See connector.Pack.
func (h *Home) Pack(ctx context.Context, o connector.PackOptions) (connector.PackReport, error) {
	r, err := h.Reader(ctx)
	if r == nil {
		return connector.PackReport{}, err
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	return connector.Pack(ctx, h.journal, r, o)
}
