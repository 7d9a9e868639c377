package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"slipway/server/serving"
	"slipway/server/tensor"
)

type inspectCommand struct {
	options
	Model string `arg:"" optional:"" help:"The model; none means all of them."`
}

// Run loads the models as serve would and prints what each takes, how it is run,
// and why so.
func (i inspectCommand) Run() error {
	c, err := i.configuration()
	if err != nil {
		return err
	}
	return i.withCatalog(c, func(catalog *serving.Catalog, with serving.Options, problems []error) error {
		models := catalog.Models()
		if i.Model != "" {
			m, err := catalog.Model(i.Model)
			if err != nil {
				return err
			}
			models = []*serving.Model{m}
		}
		for _, m := range models {
			for _, v := range m.Versions {
				if err := inspect(v, with); err != nil {
					return err
				}
			}
		}
		return errors.Join(append(problems, verdict(catalog))...)
	})
}

func inspect(v *serving.Version, o serving.Options) error {
	s := v.Config()
	fmt.Printf("%s version %s\n", v.Model, v.Number)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, in := range v.Inputs {
		fmt.Fprintf(w, "  input\t%s\n", describe(in))
	}
	for _, in := range v.Optional {
		fmt.Fprintf(w, "  input\t%s\thas a default\n", describe(in))
	}
	for _, out := range v.Outputs {
		fmt.Fprintf(w, "  output\t%s\n", describe(out))
	}
	fmt.Fprintf(w, "  runs\t%s\n", o.Size(s).Why)
	fmt.Fprintf(w, "  batching\t%s\n", batching(v))
	fmt.Fprintf(w, "  queue\t%d requests and %d bytes may wait, each request %s\n", s.Queue.MaxRequests, s.Queue.MaxBytes, s.Queue.Timeout)
	arena := "off: the memory of a run is freed after it"
	if s.Memory.Arena {
		arena = "on (memory.arena): the memory of the largest run is kept for the next"
	}
	fmt.Fprintf(w, "  arena\t%s\n", arena)
	proof := "none: add golden.ndjson (slipway predict --record)"
	if v.Golden() != "" {
		proof = v.Golden() + ", reproduced"
	}
	fmt.Fprintf(w, "  golden\t%s\n", proof)
	return w.Flush()
}

func batching(v *serving.Version) string {
	switch {
	case v.BatchingRefused() != "":
		return "refused: " + v.BatchingRefused()
	case v.Unproved != "":
		return fmt.Sprintf("up to %d rows; %s", v.MaxBatchSize, v.Unproved)
	case v.MaxBatchSize > 0:
		return fmt.Sprintf("up to %d rows, verified: rows give the same in a batch as by themselves", v.MaxBatchSize)
	}
	return "off: set batching.maxBatchSize in the model's config.yaml"
}

func describe(s tensor.Spec) string {
	switch s.Kind {
	case tensor.KindSequence:
		return s.Name + "\ta sequence"
	case tensor.KindMap:
		return s.Name + "\ta map"
	case tensor.KindTensor:
	}
	return strings.Join([]string{s.Name, s.DType.String(), tensor.ShapeString(s.Shape)}, "\t")
}
