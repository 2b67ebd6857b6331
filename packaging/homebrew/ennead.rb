# Not published yet: homepage and head are to be set to the address of the repository, the formula is untested until then.
class Ennead < Formula
  desc "One datastore for the clients of many: Redis, HTTP and gRPC over one log"
  homepage "https://example.invalid/ennead"
  license "Apache-2.0"
  head "https://example.invalid/ennead.git", branch: "main"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args(path: "crates/ennead")
    etc.install "config/ennead.toml" => "ennead/ennead.toml"
    man1.install Dir["packaging/man/*.1"]
    bash_completion.install "packaging/completions/ennead.bash" => "ennead"
    zsh_completion.install "packaging/completions/ennead.zsh" => "_ennead"
    fish_completion.install "packaging/completions/ennead.fish"
  end

  service do
    run [opt_bin/"ennead", "serve", "--config", etc/"ennead/ennead.toml", "--data", var/"ennead"]
    keep_alive successful_exit: false
    log_path var/"log/ennead.log"
    error_log_path var/"log/ennead.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/ennead version") if build.stable?
    assert_match "the configuration is good", shell_output("#{bin}/ennead check-config")
  end
end
