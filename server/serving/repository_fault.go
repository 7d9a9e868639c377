package serving

import (
	"errors"
	"sync"

	"slipway/server/repository"
)

// repositoryFault is what is wrong with the repository as a whole. What serves stays
// until it has passed.
type repositoryFault struct {
	mu       sync.Mutex
	unread   string          // why the folder can't be read, or empty
	empty    bool            // it has no model
	problems map[string]bool // entries that are not read
}

var errNoModels = errors.New("the repository has lost all of its models, as when its volume is no longer mounted; " +
	"they are served until they are unloaded one by one, or the server is restarted")

// losesAll reports whether the models that are served are to stay although a state of
// the repository has none of them: a folder without any model looks the same whether a
// volume is not mounted any more or somebody has removed the last model. Waiting does
// not tell, since a volume may stay away, and an unmounted folder is as good a folder
// as the other. So only an operator confirms it, by unloading each model or by a
// restart; models that come into the folder replace those that were lost.
func (c *Catalog) losesAll(state repository.State) bool {
	c.fault.mu.Lock()
	c.fault.empty = len(state.Models) == 0
	c.fault.mu.Unlock()
	c.reportFault()
	if !c.lost() {
		return false
	}
	c.log.Error("repository not applied; the models stay as they are", "error", errNoModels)
	return true
}

// lost reports whether the repository has no model while some are served.
func (c *Catalog) lost() bool {
	c.fault.mu.Lock()
	defer c.fault.mu.Unlock()
	return c.fault.empty && c.current.Load().serves()
}

// setUnread records why the repository's folder can't be read; nil: it was. The log has
// each reason once, not at each scan.
func (c *Catalog) setUnread(err error) {
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	c.fault.mu.Lock()
	again := c.fault.unread == reason
	c.fault.unread = reason
	c.fault.mu.Unlock()
	if err != nil && !again {
		c.log.Error("repository not read; the models stay as they are", "error", err)
	}
	c.reportFault()
}

func (c *Catalog) reportFault() {
	c.fault.mu.Lock()
	defer c.fault.mu.Unlock()
	c.metrics.RepositoryFault(c.fault.unread != "" || c.fault.empty && c.current.Load().serves())
}

// logProblems logs the entries of the repository that are not read, each once: a state
// of the repository has those of the last one too.
func (c *Catalog) logProblems(problems []error) {
	c.fault.mu.Lock()
	defer c.fault.mu.Unlock()
	now := make(map[string]bool, len(problems))
	for _, err := range problems {
		if now[err.Error()] = true; !c.fault.problems[err.Error()] {
			c.log.Error("left out of the repository", "error", err)
		}
	}
	c.fault.problems = now
}

// serves reports whether any version can be called.
func (s *models) serves() bool {
	for _, m := range s.byName {
		if len(m.Versions) > 0 {
			return true
		}
	}
	return false
}
