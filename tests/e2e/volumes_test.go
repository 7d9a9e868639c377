//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sharedFolder is a folder that the nodes of scripts/cluster share, as over NFS.
const sharedFolder = "/var/local/shared"

// volume is the folder of a node that a test's claim is bound to.
type volume struct {
	node, folder string
}

// sharedVolume makes a claim that pods on all nodes can mount at once.
func sharedVolume(t *testing.T, ns, claim string) volume {
	t.Helper()
	v := volume{worker(t), sharedFolder + "/" + ns + "-" + claim}
	v.shell(t, `mkdir -m 0777 "$0"`, v.folder)
	t.Cleanup(func() { v.cleanUp(t, `rm -rf "$0"`) })
	v.bind(t, ns, claim, "")
	return v
}

// smallVolume makes a claim on a small file system of its own on one node, which a test can fill.
func smallVolume(t *testing.T, ns, claim, size string) volume {
	t.Helper()
	v := volume{worker(t), "/var/local/" + ns + "-" + claim}
	v.shell(t, `mkdir "$0" && mount -t tmpfs -o size="$1",mode=1777 tmpfs "$0"`, v.folder, size)
	t.Cleanup(func() { v.cleanUp(t, `umount -l "$0" && rmdir "$0"`) })
	v.bind(t, ns, claim, v.node)
	return v
}

// resize changes the size of a small volume.
func (v volume) resize(t *testing.T, size string) {
	t.Helper()
	v.shell(t, `mount -o remount,size="$1" "$0"`, v.folder, size)
}

// bind makes the claim and the PersistentVolume that it is bound to; node is the only one that has the folder, or empty for all.
func (v volume) bind(t *testing.T, ns, claim, node string) {
	t.Helper()
	capacity := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	pv := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: ns + "-" + claim, Labels: map[string]string{suiteLabel: suiteName}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: capacity, AccessModes: modes, PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			ClaimRef:               &corev1.ObjectReference{Namespace: ns, Name: claim},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: v.folder}},
		},
	}
	// The control plane does not mount the shared folder.
	requirement := corev1.NodeSelectorRequirement{Key: "node-role.kubernetes.io/control-plane", Operator: corev1.NodeSelectorOpDoesNotExist}
	if node != "" {
		requirement = corev1.NodeSelectorRequirement{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}
	}
	pv.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{requirement}}},
	}}
	_, err := cluster.CoreV1().PersistentVolumes().Create(t.Context(), pv, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := cluster.CoreV1().PersistentVolumes().Delete(context.Background(), pv.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete volume %s: %v", pv.Name, err)
		}
	})
	_, err = cluster.CoreV1().PersistentVolumeClaims(ns).Create(t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: claim},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: modes, StorageClassName: new(string), VolumeName: pv.Name,
			Resources: corev1.VolumeResourceRequirements{Requests: capacity},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// shell runs a script on the volume's node and returns its output.
func (v volume) shell(t *testing.T, script string, args ...string) string {
	t.Helper()
	output, err := v.try(t.Context(), script, args...)
	require.NoError(t, err, "%s: %s", script, output)
	return output
}

func (v volume) try(ctx context.Context, script string, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, "docker", append([]string{"exec", v.node, "sh", "-c", script}, args...)...).CombinedOutput()
	return string(output), err
}

func (v volume) cleanUp(t *testing.T, script string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if output, err := v.try(ctx, script, v.folder); err != nil {
		t.Errorf("%s %s: %v: %s", script, v.folder, err, output)
	}
}

// list returns the names in a folder of the volume, including dot files; none if the folder does not exist.
func (v volume) list(t *testing.T, folder string) []string {
	t.Helper()
	return strings.Fields(v.shell(t, `ls -A "$0" 2>/dev/null || true`, v.folder+"/"+folder))
}
