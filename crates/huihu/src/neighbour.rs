//! Who has the port that we want: what makes "address in use" a sentence with a fix.

use std::fs;
use std::net::SocketAddr;

/// The program that has a port, such as `pid 812 (asterisk)`; `None` when the system does not tell.
pub(crate) fn holder(table: Table, address: SocketAddr) -> Option<String> {
    let sockets = fs::read_to_string(table.path(address)).ok()?;
    let inode = inode_of(&sockets, address.port(), table)?;
    let link = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        let is_ours = |path: std::path::PathBuf| {
            fs::read_link(path).is_ok_and(|target| target.as_os_str() == link.as_str())
        };
        if descriptors.flatten().any(|descriptor| is_ours(descriptor.path())) {
            let program = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("pid {pid} ({})", program.trim()));
        }
    }
    None
}

/// A table of the kernel's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Udp,
    Tcp,
}

impl Table {
    const fn path(self, address: SocketAddr) -> &'static str {
        match (self, address.is_ipv4()) {
            (Self::Udp, true) => "/proc/net/udp",
            (Self::Udp, false) => "/proc/net/udp6",
            (Self::Tcp, true) => "/proc/net/tcp",
            (Self::Tcp, false) => "/proc/net/tcp6",
        }
    }
}

/// The inode of the socket that has a port: of TCP, the one that listens.
fn inode_of(table: &str, port: u16, kind: Table) -> Option<&str> {
    const LISTENS: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let (local, state) = (columns.nth(1)?, columns.nth(1)?);
        let here = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()? == port;
        let open = kind == Table::Udp || state == LISTENS;
        (here && open).then(|| columns.nth(5)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  340: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 28991 2 0000000000000000 0
";

    #[test]
    fn the_inode_stands_in_the_tenth_column() {
        assert_eq!(inode_of(UDP, 5060, Table::Udp), Some("28991"));
        assert_eq!(inode_of(UDP, 5061, Table::Udp), None);
    }

    #[test]
    fn our_own_socket_is_found() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let holder = holder(Table::Udp, socket.local_addr().unwrap()).unwrap();
        assert!(holder.starts_with(&format!("pid {} (", std::process::id())), "{holder}");
    }
}
