package serving

import (
	"fmt"

	"slipway/server/modelconfig"
)

// Size is how much of the container a model uses.
type Size struct {
	Instances      int    // concurrent runs
	IntraOpThreads int    // threads that one run may use
	Why            string // where the two numbers come from
}

// Size derives what the settings leave open from the processors: as many runs
// at once, and as many threads to a run. A lone request then has every
// processor, and when there are several they share one pool of threads, which
// has nothing spinning in it, so that no processor is idle and little is lost to
// switching.
func (o Options) Size(s modelconfig.Config) Size {
	size := Size{Instances: s.Instances.Count, IntraOpThreads: s.Instances.IntraOpThreads}
	instances, threads := "instances.count of the model", "instances.intraOpThreads of the model"
	if size.Instances == 0 {
		size.Instances, instances = o.Processors, "one for each of the container's processors"
	}
	if size.IntraOpThreads == 0 {
		size.IntraOpThreads, threads = o.IntraOpThreads, "onnxruntime.intraOpThreads of the server"
	}
	if size.IntraOpThreads == 0 {
		size.IntraOpThreads, threads = o.Processors, "as many as the container's processors"
	}
	size.Why = fmt.Sprintf("%d instances: %s; %d threads a run: %s; the container has %d processors",
		size.Instances, instances, size.IntraOpThreads, threads, o.Processors)
	return size
}
