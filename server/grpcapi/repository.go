package grpcapi

import (
	"context"

	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/serving"
)

// RepositoryIndex lists the versions of the repository and what has become of them.
func (s *service) RepositoryIndex(_ context.Context, r *oip.RepositoryIndexRequest) (*oip.RepositoryIndexResponse, error) {
	if err := onlyOne(r.GetRepositoryName()); err != nil {
		return nil, err
	}
	answer := &oip.RepositoryIndexResponse{}
	for _, e := range s.Catalog.Index() {
		if r.GetReady() && e.State != serving.StateReady {
			continue
		}
		answer.Models = append(answer.Models, &oip.RepositoryIndexResponse_ModelIndex{
			Name: e.Name, Version: e.Version, State: e.State, Reason: e.Reason,
		})
	}
	return answer, nil
}

// RepositoryModelLoad loads a model as it lies in the repository.
func (s *service) RepositoryModelLoad(ctx context.Context, r *oip.RepositoryModelLoadRequest) (*oip.RepositoryModelLoadResponse, error) {
	if err := s.administers(r.GetRepositoryName()); err != nil {
		return nil, err
	}
	for name := range r.GetParameters() {
		return nil, fault.New(fault.InvalidArgument, "parameters[%q]: a model is loaded as it lies in the repository, its configuration is its config.yaml there", name)
	}
	if err := s.Catalog.LoadModel(ctx, r.GetModelName()); err != nil {
		return nil, err
	}
	return &oip.RepositoryModelLoadResponse{}, nil
}

// RepositoryModelUnload takes a model out of service.
func (s *service) RepositoryModelUnload(ctx context.Context, r *oip.RepositoryModelUnloadRequest) (*oip.RepositoryModelUnloadResponse, error) {
	if err := s.administers(r.GetRepositoryName()); err != nil {
		return nil, err
	}
	for name := range r.GetParameters() {
		if name != "unload_dependents" { // no model depends on another
			return nil, fault.New(fault.InvalidArgument, "parameters[%q]: expected unload_dependents or nothing", name)
		}
	}
	if err := s.Catalog.UnloadModel(ctx, r.GetModelName()); err != nil {
		return nil, err
	}
	return &oip.RepositoryModelUnloadResponse{}, nil
}

// administers is nil on the port that loads and unloads.
func (s *service) administers(repository string) error {
	if !s.admin {
		return fault.New(fault.PermissionDenied, "models are loaded and unloaded at admin.address only")
	}
	return onlyOne(repository)
}

// onlyOne refuses the name of a repository: there is one, and it has none.
func onlyOne(repository string) error {
	if repository != "" {
		return fault.New(fault.InvalidArgument, "repository_name: there is one repository and it has no name; leave it empty")
	}
	return nil
}
