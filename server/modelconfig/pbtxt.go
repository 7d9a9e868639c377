package modelconfig

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"slipway/server/bundle"
	"slipway/server/oip"
)

// ParsePBTXT reads Triton's config.pbtxt of a model and maps its fields to Config.
// A field without a counterpart is an error that names the field and the remedy.
// As with Triton, batching is off without dynamic_batching, and the batch is not
// among the dims of a model with a max_batch_size.
func ParsePBTXT(text []byte, model string) (Config, error) {
	document, m, err := unmarshal(text)
	if err != nil {
		return Config{}, err
	}
	c := Default()
	err = bounded(
		errors.Join(refuse("", document.Message)...),
		errors.Join(keysOnce("", document.Message)...),
		onlyModel(m, model),
		c.setBatching(m, document),
		c.setInstances(m.GetInstanceGroup()),
		c.setVersions(m.GetVersionPolicy()),
		c.setParameters(m.GetParameters()),
		c.setDeclared(m),
		c.setWarmUp(m.GetModelWarmup()),
	)
	if err != nil {
		return Config{}, err
	}
	return c, bounded(c.validate(inTriton))
}

// onlyModel refuses the configuration of another model or backend.
func onlyModel(m *oip.ModelConfig, model string) error {
	var all []error
	for _, f := range []struct{ field, value, only, why string }{
		{"name", m.GetName(), model, "the folder's name is the model's; change one of them"},
		{"platform", m.GetPlatform(), "onnxruntime_onnx", "this server serves ONNX models"},
		{"backend", m.GetBackend(), "onnxruntime", "this server serves ONNX models"},
		{"default_model_filename", m.GetDefaultModelFilename(), bundle.ModelFile, "rename the file"},
	} {
		if f.value != "" && f.value != f.only {
			all = append(all, fmt.Errorf("%s: is %q and must be %s: %s", f.field, f.value, f.only, f.why))
		}
	}
	return errors.Join(all...)
}

func (c *Config) setBatching(m *oip.ModelConfig, d document) (err error) {
	b := m.GetDynamicBatching()
	if b == nil {
		return nil
	}
	c.Batching.MaxBatchSize = int(m.GetMaxBatchSize())
	for _, size := range b.GetPreferredBatchSize() {
		c.Batching.PreferredBatchSizes = append(c.Batching.PreferredBatchSizes, int(size))
	}
	const path = "dynamic_batching"
	c.Batching.MaxQueueDelay, err = microseconds(path+".max_queue_delay_microseconds", b.GetMaxQueueDelayMicroseconds())
	levels, levelsErr := count(path+".priority_levels", b.GetPriorityLevels())
	priority, priorityErr := count(path+".default_priority_level", b.GetDefaultPriorityLevel())
	c.Queue.PriorityLevels, c.Queue.DefaultPriority = levels, priority
	return errors.Join(err, levelsErr, priorityErr, c.setQueue(b.GetDefaultQueuePolicy(), d))
}

func (c *Config) setQueue(p *oip.ModelQueuePolicy, d document) (err error) {
	const path = "dynamic_batching.default_queue_policy"
	if p.GetTimeoutAction() != oip.ModelQueuePolicy_REJECT {
		err = fmt.Errorf("%s.timeout_action: is %s and must be REJECT: a request that is late is refused", path, p.GetTimeoutAction())
	}
	if d.has(path+".allow_timeout_override") && !p.GetAllowTimeoutOverride() {
		err = errors.Join(err, fmt.Errorf("%s.allow_timeout_override: must be true: a request may always set a shorter timeout; remove the line", path))
	}
	if d.has(path + ".default_timeout_microseconds") { // 0 is no timeout; without it the default holds
		var problem error
		c.Queue.Timeout, problem = microseconds(path+".default_timeout_microseconds", p.GetDefaultTimeoutMicroseconds())
		err = errors.Join(err, problem)
	}
	if size := p.GetMaxQueueSize(); size != 0 { // 0 is unbounded in Triton; here the default bound holds
		c.Queue.MaxRequests = int(size)
	}
	return err
}

// setInstances adds the groups' instances up.
func (c *Config) setInstances(groups []*oip.ModelInstanceGroup) error {
	for i, g := range groups {
		if kind := g.GetKind(); kind != oip.ModelInstanceGroup_KIND_CPU && kind != oip.ModelInstanceGroup_KIND_AUTO {
			return fmt.Errorf("instance_group[%d].kind: is %s and must be KIND_CPU or KIND_AUTO: this server runs models on the CPU", i, kind)
		}
		if g.GetCount() < 0 {
			return fmt.Errorf("instance_group[%d].count: must not be negative, is %d", i, g.GetCount())
		}
		c.Instances.Count += int(max(g.GetCount(), 1)) // 0 is the same as left out
	}
	return nil
}

func (c *Config) setVersions(p *oip.ModelVersionPolicy) error {
	if p == nil {
		return nil
	}
	switch choice := p.GetPolicyChoice().(type) {
	case *oip.ModelVersionPolicy_Latest_:
		c.Versions = Versions{Latest: int(max(choice.Latest.GetNumVersions(), 1))}
	case *oip.ModelVersionPolicy_All_:
		c.Versions = Versions{All: true}
	case *oip.ModelVersionPolicy_Specific_:
		c.Versions = Versions{Specific: choice.Specific.GetVersions()}
		if len(c.Versions.Specific) == 0 {
			return errors.New("version_policy.specific: names no version")
		}
	default:
		return errors.New("version_policy: must have one of latest, all, specific")
	}
	return nil
}

// setParameters reads the parameters of Triton's ONNX Runtime backend.
func (c *Config) setParameters(parameters map[string]*oip.ModelParameter) error {
	var all []error
	refuse := func(format string, args ...any) { all = append(all, fmt.Errorf("parameters: "+format, args...)) }
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		value := parameters[key].GetStringValue()
		switch key {
		case "intra_op_thread_count":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 {
				refuse("%s: got %q, expected a number of threads", key, value)
			}
			c.Instances.IntraOpThreads = n
		case "enable_mem_arena":
			if value != "0" && value != "1" {
				refuse(`%s: got %q, expected "0" or "1"`, key, value)
			}
			c.Memory.Arena = value == "1"
		default:
			refuse("%q is not among the supported parameters, intra_op_thread_count and enable_mem_arena; remove it", key)
		}
	}
	return errors.Join(all...)
}

func microseconds(path string, n uint64) (time.Duration, error) {
	if n > math.MaxInt64/uint64(time.Microsecond) {
		return 0, fmt.Errorf("%s: %d microseconds are too many", path, n)
	}
	return time.Duration(n) * time.Microsecond, nil
}

func count(path string, n uint64) (int, error) {
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("%s: is %d, expected a number from 0 to %d", path, n, math.MaxInt32)
	}
	return int(n), nil
}
