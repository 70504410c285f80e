/** What stands around every page: name, navigation, who is signed in, and the sign-in form when nobody is. */

import { AppShell, Anchor, Burger, Button, Center, Group, Loader, NavLink, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { SignIn } from './pages/sign-in.tsx';
import { ProblemNote } from './parts/problem-note.tsx';
import { useSession, useSignOut } from './session.ts';
import { useLiveUpdates } from './live.ts';

const places = [
  { to: '/', label: 'Jobs' },
  { to: '/submit', label: 'Submit a job' },
  { to: '/ledger', label: 'Ledger' },
] as const;

export function Frame() {
  const session = useSession();
  const [opened, menu] = useDisclosure(false);
  const live = useLiveUpdates(session.data !== undefined && session.data !== null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const signedIn = session.data ?? undefined;

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !opened, desktop: signedIn === undefined } }}
      padding="md"
    >
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            {signedIn && (
              <Burger opened={opened} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label="Open the menu" />
            )}
            <Anchor renderRoot={(props) => <Link to="/" {...props} />} underline="never" c="inherit">
              <Group gap="xs" wrap="nowrap">
                <img src="/mark.svg" width={26} height={26} alt="" />
                <Title order={1} size="h4">
                  Assay
                </Title>
              </Group>
            </Anchor>
          </Group>
          {signedIn && <SignedIn email={signedIn.account.email} live={live} />}
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Pages">
        {places.map((place) => (
          <NavLink
            key={place.to}
            active={path === place.to}
            label={place.label}
            onClick={menu.close}
            renderRoot={(props) => <Link to={place.to} {...props} />}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        {session.isPending && (
          <Center h="50vh">
            <Loader aria-label="Loading" />
          </Center>
        )}
        {session.error && <ProblemNote error={session.error} />}
        {session.data === null && <SignIn />}
        {signedIn && <Outlet />}
      </AppShell.Main>
    </AppShell>
  );
}

function SignedIn({ email, live }: { email: string; live: boolean }) {
  const signOut = useSignOut();
  return (
    <Group gap="sm" wrap="nowrap">
      <Text size="sm" c={live ? 'teal.9' : 'dimmed'} role="status" visibleFrom="xs">
        {live ? '● live' : '○ reconnecting'}
      </Text>
      <Text size="sm" visibleFrom="sm">
        {email}
      </Text>
      <Button variant="subtle" size="compact-sm" onClick={() => signOut.mutate()} loading={signOut.isPending}>
        Sign out
      </Button>
    </Group>
  );
}
