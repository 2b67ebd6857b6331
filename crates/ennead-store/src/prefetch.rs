//! Asking the processor for memory before it is needed.
//!
//! A row or a key that was not used lately takes several reads, each of which finds its line in no cache and waits some
//! hundred cycles before the next can be asked for. Whoever knows several of them ahead asks for all first. It is a hint: it
//! changes nothing, and does nothing on processors that have no stable intrinsic for it.

#[cfg(test)]
mod tests;

/// Asks for the cache line in which `value` begins, and for the one behind it if `value` reaches into that.
#[inline]
pub fn prefetch<T>(value: &T) {
    prefetch_at(std::ptr::from_ref(value), size_of::<T>());
}

/// The same for bytes at an address, which is not read.
#[inline]
pub fn prefetch_at<T>(address: *const T, bytes: usize) {
    const LINE: usize = 64;
    let address = address.cast::<u8>();
    prefetch_line(address);
    if address as usize % LINE + bytes > LINE {
        prefetch_line(address.wrapping_add(LINE));
    }
}

#[inline]
fn prefetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "a prefetch reads nothing and cannot fault, whatever the address")]
        // SAFETY: the instruction is a hint; it is part of every x86-64 processor.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(address.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
