//! The GPUs that this process sees, read by NVML.
//!
//! NVML comes with the driver, never with this program: in a container it is mounted by CDI. So its absence is a
//! normal state with three causes, which need three different mends.

use std::fmt;

use nvml_wrapper::{Nvml, cuda_driver_version_major as major, cuda_driver_version_minor as minor, error::NvmlError};

use crate::jobs::Gpu;

/// The name by which drivers install the library. The name without a number belongs to development packages, and CDI
/// does not mount it.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// Why no GPU is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoGpu {
    /// `libnvidia-ml.so.1` is not there: no driver on the host, or a container without the GPU.
    Library,
    /// The library is there, but the kernel module is not loaded.
    Driver,
    /// The driver runs, but shows no device.
    Device,
    /// NVML failed in another way.
    Other(String),
}

impl fmt::Display for NoGpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library => write!(
                f,
                "no GPU: {LIBRARY} is not found; fine without an NVIDIA GPU, else install the driver, and give \
                 containers the GPU by CDI"
            ),
            Self::Driver => write!(
                f,
                "no GPU: {LIBRARY} is there but the driver is not loaded, or a container lacks its devices; run nvidia-smi \
                 on the host to see why"
            ),
            Self::Device => {
                write!(
                    f,
                    "no GPU: the driver runs but shows no device; check the container's devices, its cgroup and MIG"
                )
            }
            Self::Other(cause) => write!(f, "no GPU: NVML failed: {cause}"),
        }
    }
}

/// NVML, opened once; its handle stays valid for the life of the process.
pub struct Gpus(Nvml);

impl Gpus {
    /// Opens NVML and looks for a device.
    pub fn open() -> Result<Self, NoGpu> {
        let nvml = Nvml::builder().lib_path(LIBRARY.as_ref()).init().map_err(|e| no_gpu(&e))?;
        match nvml.device_count() {
            Ok(0) => Err(NoGpu::Device),
            Ok(_) => Ok(Self(nvml)),
            Err(error) => Err(no_gpu(&error)),
        }
    }

    /// The devices as they are now. One that does not answer, as after a fault of its bus, hides no other.
    pub fn read(&self) -> Result<Vec<Gpu>, NoGpu> {
        let count = self.0.device_count().map_err(|e| no_gpu(&e))?;
        let (answers, failures): (Vec<_>, Vec<_>) = (0..count).map(|index| self.device(index)).partition(Result::is_ok);
        match failures.into_iter().find_map(Result::err) {
            Some(error) if answers.is_empty() => Err(no_gpu(&error)),
            _ => Ok(answers.into_iter().flatten().collect()),
        }
    }

    fn device(&self, index: u32) -> Result<Gpu, NvmlError> {
        let device = self.0.device_by_index(index)?;
        let memory = device.memory_info().ok();
        Ok(Gpu {
            name: device.name()?,
            uuid: device.uuid()?,
            memory_total: memory.as_ref().map(|memory| memory.total),
            memory_used: memory.map(|memory| memory.used),
            utilization: device.utilization_rates().ok().map(|rates| rates.gpu),
            driver_version: self.0.sys_driver_version()?,
            cuda_version: self.0.sys_cuda_driver_version().ok().map(|v| format!("{}.{}", major(v), minor(v))),
        })
    }
}

fn no_gpu(error: &NvmlError) -> NoGpu {
    match error {
        // The loader's words for this library; one that can't be used is another matter.
        NvmlError::LibloadingError(cause) if cause.to_string().starts_with(&format!("{LIBRARY}: cannot open")) => {
            NoGpu::Library
        }
        NvmlError::LibraryNotFound => NoGpu::Library,
        NvmlError::DriverNotLoaded => NoGpu::Driver,
        // The latter is what NVML says where a container's devices are masked or its cgroup bars them.
        NvmlError::NotFound | NvmlError::OperatingSystem => NoGpu::Device,
        other => NoGpu::Other(other.to_string()),
    }
}
