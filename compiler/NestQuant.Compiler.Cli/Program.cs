using NestQuant.Compiler.Cli;

return CliProcess.Run(args);
