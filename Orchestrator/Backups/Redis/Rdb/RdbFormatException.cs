namespace Orchestrator.Backups.Redis.Rdb;

/// <summary>Something in an RDB file that this reader does not know: a newer version of Redis, a module. The file may well be whole.</summary>
internal sealed class RdbFormatException(string message) : Exception(message);
