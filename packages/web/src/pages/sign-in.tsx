/** E-mail and password. */

import { Button, Code, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { ProblemNote } from '../parts/problem-note.tsx';
import { useSignIn } from '../session.ts';

export function SignIn() {
  const signIn = useSignIn();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ email, password });
  };

  return (
    <Stack maw={420} mx="auto" mt={{ base: 'md', sm: '8vh' }} gap="lg">
      <title>Sign in · Assay</title>
      <div>
        <Title order={1} size="h2">
          Sign in
        </Title>
        <Text c="dimmed" mt={4}>
          Computation that is paid for only when independent workers agree on the result.
        </Text>
      </div>
      <Paper withBorder p={{ base: 'md', sm: 'xl' }}>
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              label="E-mail"
              type="email"
              autoComplete="username"
              required
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
            />
            {signIn.error && <ProblemNote error={signIn.error} />}
            <Button type="submit" loading={signIn.isPending}>
              Sign in
            </Button>
          </Stack>
        </form>
      </Paper>
      <Text size="sm" c="dimmed">
        On a demo market, open the link that <Code>./assay demo</Code> printed: it signs you in, once.
      </Text>
    </Stack>
  );
}
