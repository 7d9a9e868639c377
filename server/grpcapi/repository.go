package grpcapi

import (
	"context"
	"maps"
	"slices"

	"slipway/server/api"
	"slipway/server/fault"
	"slipway/server/oip"
)

// RepositoryIndex lists the versions of the repository and their states.
func (s *service) RepositoryIndex(_ context.Context, r *oip.RepositoryIndexRequest) (*oip.RepositoryIndexResponse, error) {
	if err := checkRepository(r.GetRepositoryName()); err != nil {
		return nil, err
	}
	index := &oip.RepositoryIndexResponse{}
	for _, e := range s.Index(r.GetReady()) {
		index.Models = append(index.Models, &oip.RepositoryIndexResponse_ModelIndex{
			Name: e.Name, Version: e.Version, State: e.State, Reason: e.Reason,
		})
	}
	return index, nil
}

// RepositoryModelLoad loads a model as it is in the repository.
func (s *service) RepositoryModelLoad(ctx context.Context, r *oip.RepositoryModelLoadRequest) (*oip.RepositoryModelLoadResponse, error) {
	if err := s.mayChange(r.GetRepositoryName()); err != nil {
		return nil, err
	}
	return &oip.RepositoryModelLoadResponse{}, s.Load(ctx, r.GetModelName(), parameterNames(r.GetParameters())...)
}

// RepositoryModelUnload takes a model out of service.
func (s *service) RepositoryModelUnload(ctx context.Context, r *oip.RepositoryModelUnloadRequest) (*oip.RepositoryModelUnloadResponse, error) {
	if err := s.mayChange(r.GetRepositoryName()); err != nil {
		return nil, err
	}
	return &oip.RepositoryModelUnloadResponse{}, s.Unload(ctx, r.GetModelName(), parameterNames(r.GetParameters())...)
}

// mayChange returns nil on the port that loads and unloads.
func (s *service) mayChange(repository string) error {
	if !s.admin {
		return api.ErrNotAdministration
	}
	return checkRepository(repository)
}

// checkRepository refuses the name of a repository: there is one, and it has none.
func checkRepository(name string) error {
	if name != "" {
		return fault.New(fault.InvalidArgument, "repository_name: there is one repository and it has no name; leave it empty")
	}
	return nil
}

func parameterNames(parameters map[string]*oip.ModelRepositoryParameter) []string {
	return slices.Collect(maps.Keys(parameters))
}
