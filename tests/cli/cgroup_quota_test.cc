#include "cli/cgroup_quota.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace gauge::cli {
namespace {

namespace fs = std::filesystem;

/// A root with what the kernel would show below /proc and /sys/fs/cgroup.
class CpuQuota : public testing::Test {
 protected:
  CpuQuota() { fs::create_directories(root() + "/proc/self"); }

  std::string root() const { return folder_.path("root"); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path{root() + path}.parent_path());
    put(root() + path, text);
  }
  /// Version 2, with `top` of the hierarchy at the mount point.
  void mount_v2(const std::string& top, const std::string& own_path) const {
    write("/proc/self/mountinfo",
          "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
          "30 22 0:26 " +
              top + " /sys/fs/cgroup ro,nosuid shared:4 master:9 - cgroup2 cgroup rw,nsdelegate\n");
    write("/proc/self/cgroup", "0::" + own_path + "\n");
  }
  void mount_v1(const std::string& top, const std::string& own_path) const {
    write("/proc/self/mountinfo", "31 22 0:27 " + top +
                                      " /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
                                      "32 22 0:28 " +
                                      top + " /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n");
    write("/proc/self/cgroup", "5:cpuset:/elsewhere\n4:cpu,cpuacct:" + own_path + "\n0::/\n");
  }

  TemporaryFolder folder_;
};

TEST_F(CpuQuota, IsNoneWithoutCgroups) { EXPECT_EQ(cpu_quota(root()), std::nullopt); }

TEST_F(CpuQuota, IsReadFromVersion2) {
  mount_v2("/", "/user.slice/job");
  write("/sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 0.5);
}

TEST_F(CpuQuota, IsTheLeastOfAllAbove) {
  mount_v2("/", "/pod/container");
  write("/sys/fs/cgroup/pod/container/cpu.max", "max 100000\n");
  write("/sys/fs/cgroup/pod/cpu.max", "25000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 0.25);
  write("/sys/fs/cgroup/pod/container/cpu.max", "20000 200000\n");
  EXPECT_EQ(cpu_quota(root()), 0.1);
}

TEST_F(CpuQuota, IsNoneWhereTheMaximumIs) {
  mount_v2("/", "/job");
  write("/sys/fs/cgroup/job/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root()), std::nullopt);
}

TEST_F(CpuQuota, IsFoundInAContainerThatSeesItsOwnCgroupOnly) {
  mount_v2("/docker/4242", "/docker/4242/job");
  write("/sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 1.5);
  write("/proc/self/cgroup", "0::/../elsewhere\n");  // entered from outside: only the top can be seen
  write("/sys/fs/cgroup/cpu.max", "30000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 0.3);
}

TEST_F(CpuQuota, IsReadFromVersion1) {
  mount_v1("/docker/4242", "/docker/4242");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "40000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root()), 0.4);
}

TEST_F(CpuQuota, IsNoneWhereVersion1SaysMinusOne) {
  mount_v1("/", "/job");
  write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root()), std::nullopt);
}

}  // namespace
}  // namespace gauge::cli
