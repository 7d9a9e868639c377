//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPersistentVolumeClaim(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	put := claim(t, ns, "models")
	put("/fleet/constant/1/model.onnx", testModels+"constant_1.onnx")
	put("/fleet/constant/2/model.onnx", testModels+"constant_2.onnx")

	installIn(t, ns, values{
		"models":   values{"persistentVolumeClaim": values{"existingClaim": "models", "subPath": "fleet"}},
		"helmTest": values{"enabled": false},
	})
	service := throughService(ns, name, "http")
	got := service.eventually(t, oneRow)
	assert.JSONEq(t, twoResponse, got.body, "the newest version")
	assert.Equal(t, "2", got.header.Get("Slipway-Version"))
}

// claim makes a PersistentVolumeClaim of the cluster's default storage class, and returns a function that writes a file to its volume. Our
// images have no shell, so the function writes on the node that has the volume.
func claim(t *testing.T, ns, name string) (put func(path, from string)) {
	t.Helper()
	node := worker(t)
	_, err := cluster.CoreV1().PersistentVolumeClaims(ns).Create(t.Context(), &corev1.PersistentVolumeClaim{
		// Sets the scheduler's choice of a node, so that the claim is bound before a first pod.
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"volume.kubernetes.io/selected-node": node}},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Mi")}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	folder := folderOf(t, ns, name)
	t.Logf("the claim's volume is %s on %s", folder, node)
	return func(path, from string) {
		t.Helper()
		content, err := os.ReadFile(from)
		require.NoError(t, err)
		write := exec.CommandContext(t.Context(), "docker", "exec", "--interactive", node, "sh", "-c", `mkdir -p "${1%/*}" && cat >"$1"`, "sh", folder+path)
		write.Stdin = bytes.NewReader(content)
		output, err := write.CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
}

// folderOf waits for a claim's volume and returns its folder on the node.
func folderOf(t *testing.T, ns, claim string) (folder string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		pvc, err := cluster.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), claim, metav1.GetOptions{})
		require.NoError(c, err)
		require.Equal(c, corev1.ClaimBound, pvc.Status.Phase)
		volume, err := cluster.CoreV1().PersistentVolumes().Get(t.Context(), pvc.Spec.VolumeName, metav1.GetOptions{})
		require.NoError(c, err)
		switch {
		case volume.Spec.HostPath != nil:
			folder = volume.Spec.HostPath.Path
		case volume.Spec.Local != nil:
			folder = volume.Spec.Local.Path
		}
		require.NotEmpty(c, folder, "%+v", volume.Spec)
	}, time.Minute, 200*time.Millisecond)
	return folder
}
